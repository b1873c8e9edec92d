import CLinux

exit(GuardProgram.run(Array(CommandLine.arguments.dropFirst())))
