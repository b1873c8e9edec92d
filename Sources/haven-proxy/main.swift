import CLinux

exit(ProxyArguments.parse(Array(CommandLine.arguments.dropFirst())).run())
