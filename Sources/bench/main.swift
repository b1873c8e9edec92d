import CLinux

exit(Benchmark.main(Array(CommandLine.arguments.dropFirst())))
