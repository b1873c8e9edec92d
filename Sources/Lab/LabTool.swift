internal import LinuxIO
internal import Processes

/// Runs the system's tools for the lab.
enum LabTool {
    /// No tool of the lab takes a tenth of this.
    static let timeLimit = Duration.seconds(20)

    /// Runs a tool to its end.
    ///
    /// - Throws: its error output when it fails.
    @discardableResult
    static func run(_ name: String, _ words: [String], input: String = "") throws(LabError) -> String {
        guard let path = Invocation.find(name) else {
            throw .failed("the program “\(name)” is not installed; “make” says which packages are needed")
        }
        var call = Invocation(path, words)
        call.input = input.isEmpty ? .nothing : .bytes(Array(input.utf8))
        let result: RunResult
        do throws(SystemError) {
            result = try ChildProcess.run(call, timeout: timeLimit)
        } catch {
            throw .failed("\(error)")
        }
        guard result.isSuccess else {
            let reason = result.timedOut ? "took longer than \(timeLimit)" : "\(result.exit)"
            throw .failed("\(name) \(words.joined(separator: " ")): \(reason): \(result.errors.text)")
        }
        return result.output.text
    }

    /// Runs lines of the `ip` tool's batch language in a namespace.
    ///
    /// - Parameters:
    ///   - namespace: The namespace's name.
    ///   - lines: The lines.
    ///   - force: Goes on after a line that fails, and reports nothing.
    /// - Throws: the first line that failed.
    static func ip(in namespace: String, _ lines: [String], force: Bool = false) throws(LabError) {
        let words = ["-n", namespace] + (force ? ["-force"] : []) + ["-batch", "-"]
        let input = lines.joined(separator: "\n") + "\n"
        if force {
            _ = try? run("ip", words, input: input)
        } else {
            try run("ip", words, input: input)
        }
    }
}
