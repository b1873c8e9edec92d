/// The lab's remote shell: every host runs an sshd of its own, and one key of the lab opens them all.
///
/// The keys are made with the lab and go with it; nothing of the machine's own ssh is touched.
struct HostShell {
    let specification: LabSpecification
    let paths: LabPaths

    /// Where a host keeps keys and configuration.
    private static let directory = "/etc/haven-lab"
    /// The boot program of the host's sshd, below `directory`.
    static let bootProgram = "\(directory)/sshd.boot"
    /// The client's part, below /etc.
    static let clientFile = "ssh/ssh_config.d/haven-lab.conf"

    private var keys: String { "\(paths.root)/ssh" }

    /// Makes the keys.
    ///
    /// - Returns: Files below /etc/haven-lab of every machine, by name.
    func create() throws(LabError) -> [String: String] {
        try LabFiles.makeDirectory(keys)
        var files = ["sshd_config": serverConfiguration, "sshd.boot": Self.bootScript]
        for key in ["ssh_host_key", "ssh_key"] {
            let path = "\(keys)/\(key)"
            try LabTool.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "haven-lab", "-f", path])
            guard let secret = LabFiles.read(path), let open = LabFiles.read("\(path).pub") else {
                throw .failed("ssh-keygen made no \(path)")
            }
            files[key] = secret
            files["\(key).pub"] = open
        }
        return files
    }

    /// StrictModes asks for owners and modes of a home directory that is the machine's own, and PAM for its accounts.
    private var serverConfiguration: String {
        """
        HostKey \(Self.directory)/ssh_host_key
        AuthorizedKeysFile \(Self.directory)/ssh_key.pub
        PidFile /run/sshd.pid
        AuthenticationMethods publickey
        PermitRootLogin prohibit-password
        StrictModes no
        UsePAM no
        PrintMotd no
        SetEnv PATH=\(LabHost.environment(specification)["PATH"] ?? "")

        """
    }

    private static let bootScript = """
        #!/bin/sh
        exec /usr/sbin/sshd -D -e -f \(directory)/sshd_config

        """

    /// Hosts are made anew with each lab, so nobody has to remember their keys.
    static let clientConfiguration = """
        Host *
          User root
          IdentityFile \(directory)/ssh_key
          IdentitiesOnly yes
          StrictHostKeyChecking no
          UserKnownHostsFile /dev/null
          LogLevel ERROR

        """
}
