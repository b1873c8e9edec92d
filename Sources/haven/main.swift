import Glibc
import HavenCommands

// Output that nobody reads any more ends the command at its next line, as with other tools.
exit(Haven.run(Array(CommandLine.arguments.dropFirst()), .live))
