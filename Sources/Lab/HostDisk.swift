/// What a host keeps when its power goes: the changed parts of /etc, /var/lib and /var/log.
struct HostDisk {
    let specification: LabSpecification
    let paths: LabPaths
    let machine: String

    /// The parts of the machine's own tree that a host sees through a layer of its own.
    static let layers = [("/etc", "etc"), ("/var/lib", "lib"), ("/var/log", "log")]

    /// Present until the first boot has made the directories that must not show the machine's own.
    var freshMark: String { "\(paths.disk(machine))/fresh" }

    /// Makes it unless it is there.
    ///
    /// - Parameter secrets: Files below /etc/haven-lab, by name.
    /// - Throws: what could not be written.
    func create(secrets: [String: String]) throws(LabError) {
        let disk = paths.disk(machine)
        guard !LabFiles.exists(disk) else { return }
        for (_, layer) in Self.layers {
            // Overlays take the mode of their root from the upper directory.
            try LabFiles.makeDirectory("\(disk)/\(layer)/upper", mode: 0o755)
            try LabFiles.makeDirectory("\(disk)/\(layer)/work")
        }
        let etc = "\(disk)/etc/upper"
        try LabFiles.write("\(etc)/hosts", specification.hostsFile, mode: 0o644)
        try LabFiles.write("\(etc)/hostname", machine + "\n", mode: 0o644)
        try LabFiles.makeDirectory("\(etc)/haven-lab")
        for (name, text) in secrets { try LabFiles.write("\(etc)/haven-lab/\(name)", text) }
        try LabFiles.makeDirectory("\(etc)/ssh/ssh_config.d", mode: 0o755)
        try LabFiles.write("\(etc)/\(HostShell.clientFile)", HostShell.clientConfiguration, mode: 0o644)
        try LabFiles.write(freshMark, "")
    }

    /// The shell script by which PID 1 builds its view of the file system, in its own mount namespace.
    ///
    /// The lab's directory goes out of sight with the last lines, so everything that comes from it is mounted before.
    var mountScript: String {
        let disk = paths.disk(machine)
        let overlays = Self.layers.map { target, layer in
            let upper = "\(disk)/\(layer)/upper"
            let work = "\(disk)/\(layer)/work"
            return "mount -t overlay overlay -o lowerdir=\(target),upperdir=\(upper),workdir=\(work) \(target)"
        }
        let agents =
            specification.fenceAgents == nil
            ? [] : ["mount -t overlay overlay -o ro,lowerdir=\(paths.fenceAgents):/usr/sbin /usr/sbin"]
        return
            (["set -eu", "umask 022", Self.hideNamespaces, Self.mountProc] + overlays + agents
            + [firstBoot, Self.mountRun(machine)])
            .joined(separator: "\n")
    }

    /// A mount of a namespace keeps it alive: a host must hold none, or a powered-off neighbour's stack would linger.
    private static let hideNamespaces = """
        mount --make-rprivate /
        if mountpoint -q /run/netns; then umount -R -l /run/netns; fi
        """

    /// The pid space's own /proc, without what reaches the whole machine: SysRq, and settings other than the network's.
    private static let mountProc = """
        mount -t proc -o nosuid,nodev,noexec proc /proc
        mount --bind /proc/sys /proc/sys
        mount -o remount,bind,ro /proc/sys
        mount --bind /proc/sys/net /proc/sys/net
        mount -o remount,bind,rw /proc/sys/net
        mount -t sysfs -o ro,nosuid,nodev,noexec sysfs /sys
        mount -t tmpfs -o mode=1777,nosuid,nodev,size=256m tmpfs /dev/shm
        for device in /dev/watchdog*; do
          if [ -e "$device" ]; then mount --bind /dev/null "$device"; fi
        done
        """

    /// The machine's own cluster, if it has one, must not show through.
    private var firstBoot: String {
        """
        if [ -e \(freshMark) ]; then
          rm -rf /etc/haven /var/lib/haven /var/log/haven
          mkdir -p /etc/haven/boot.d
          if [ -e \(HostShell.bootProgram) ] && [ \(machine) != \(LabSpecification.client) ]; then
            install -m 755 \(HostShell.bootProgram) /etc/haven/boot.d/sshd
          fi
          rm \(freshMark)
        fi
        """
    }

    private static func mountRun(_ machine: String) -> String {
        """
        mount -t tmpfs -o mode=755,nosuid,nodev,size=256m tmpfs /run
        mkdir -p /run/lock /run/haproxy /run/sshd
        mkdir -m 1755 /run/resource-agents /run/fence-agents
        chmod 1777 /run/lock
        if id haproxy >/dev/null 2>&1; then chown haproxy:haproxy /run/haproxy; fi
        if [ -e /proc/sysrq-trigger ]; then
          (umask 077; : > /run/sysrq-trigger)
          mount --bind /run/sysrq-trigger /proc/sysrq-trigger
        fi
        hostname \(machine)
        """
    }
}
