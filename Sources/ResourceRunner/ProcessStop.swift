internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Supervision

/// One stop of a supervised process: signals by a sequence, until it is gone or has outlived them all.
final class ProcessStop {
    private let process: SupervisedProcess
    private let loop: EventLoop
    private var progress: StopProgress
    private var timer: EventLoop.Token?
    private var completion: ((Bool) -> Void)?

    init(
        _ process: SupervisedProcess,
        _ sequence: StopSequence,
        loop: EventLoop,
        completion: @escaping (_ isGone: Bool) -> Void
    ) {
        self.process = process
        self.loop = loop
        self.completion = completion
        progress = StopProgress(sequence, now: Clock.monotonic())
    }

    /// Sends the first signal; the process's end is told here from now on, and nowhere else.
    func begin() {
        process.ended = { _ in self.finish(isGone: true) }
        step()
    }

    private func step() {
        if let signal = progress.signal(now: Clock.monotonic()) { process.signal(signal) }
        if let next = progress.nextDeadline {
            timer = loop.schedule(at: next) { self.step() }
        } else {
            timer = loop.schedule(at: Clock.monotonic() + RunnerLimits.goneAfterKill) { self.finish(isGone: false) }
        }
    }

    private func finish(isGone: Bool) {
        guard let completion else { return }
        self.completion = nil
        loop.remove(timer)
        process.ended = nil
        completion(isGone)
    }
}
