internal import ClusterModel
internal import FoundationEssentials
internal import LinuxIO
internal import Processes

/// A host's BMC: OpenIPMI's simulator, outside of the host, whose power switch is the real one of the lab.
struct BaseboardController {
    let specification: LabSpecification
    let paths: LabPaths
    let host: String

    /// ipmi_sim compares no more than this.
    private static let passwordLength = 16
    /// How long it may take to open its port.
    private static let timeLimit = Duration.seconds(10)

    private var directory: String { paths.controller(host) }
    var passwordFile: String { "\(directory)/password" }

    /// A fresh password of letters and digits.
    static func makePassword() throws(LabError) -> String {
        let bytes = try LabError.wrap { () throws(SystemError) in try SystemRandom.bytes(passwordLength) }
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return String(bytes.map { letters[Int($0) % letters.count] })
    }

    func start(password: String) throws(LabError) {
        try LabFiles.makeDirectory("\(directory)/state")
        try LabFiles.write(passwordFile, password)
        try LabFiles.write("\(directory)/lan.conf", lanConfiguration(password))
        try LabFiles.write("\(directory)/bmc.emu", Self.emulation)
        try LabFiles.write("\(directory)/chassis", chassisScript, mode: 0o700)
        let service = try LabDaemon.start(
            [
                "ipmi_sim", "-c", "\(directory)/lan.conf", "-f", "\(directory)/bmc.emu", "-s", "\(directory)/state",
                "-n",
            ],
            paths: paths,
            log: "\(directory)/log"
        )
        try LabDaemon.waitForPort(service, protocol: "udp", address: specification.controllerAddress(of: host), 623)
        service.detach()
    }

    private func lanConfiguration(_ password: String) -> String {
        let methods = ["callback", "user", "operator", "admin"].map { "    allowed_auths_\($0) none md5" }
        let number = String(format: specification.number(of: host))
        return """
            name "\(host)"
            set_working_mc 0x20
              startlan 1
                addr \(specification.controllerAddress(of: host)) 623
                priv_limit admin
            \(methods.joined(separator: "\n"))
                guid 6861766e6c61620000000000000000\(number)
              endlan
              chassis_control "\(directory)/chassis"
              user 2 true "\(LabSpecification.controllerUser)" "\(password)" admin 10 none md5

            """
    }

    /// One management controller at the usual address, without sensors.
    private static let emulation = """
        mc_setbmc 0x20
        mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
        sel_enable 0x20 100 0x0a
        mc_enable 0x20

        """

    /// What ipmi_sim calls: `get NAME…` must print `NAME:value` lines and nothing else, `set NAME VALUE…` nothing.
    ///
    /// Reading the power state is done here, as it happens at each poll of a fence; the rest is one call of `haven`.
    private var chassisScript: String {
        """
        #!/bin/sh
        is_on() {
          read -r pid start <'\(paths.processFile(host))' || return 1
          read -r stat <"/proc/$pid/stat" || return 1
          set -- ${stat##*) }
          [ "${20}" = "$start" ] && [ "$1" != Z ]
        } 2>/dev/null
        power() {
          '\(specification.executable)' lab power \(paths.option.joined()) "$1" \(host) \\
            </dev/null >/dev/null 2>>'\(directory)/log'
        }
        operation=$1
        shift
        while [ $# -gt 0 ]; do
          case "$operation $1" in
            'get power') if is_on; then echo power:1; else echo power:0; fi; shift ;;
            'get boot') echo boot:default; shift ;;
            'get '*) echo "$1:0"; shift ;;
            'set power') case $2 in 0) power off ;; *) power on ;; esac; shift 2 ;;
            'set reset') power cycle; shift 2 ;;
            *) shift $(($# > 1 ? 2 : 1)) ;;
          esac
        done
        exit 0

        """
    }
}

extension String {
    /// Two hexadecimal digits.
    fileprivate init(format number: Int) {
        let digits = String(number, radix: 16)
        self = digits.count < 2 ? "0\(digits)" : digits
    }
}
