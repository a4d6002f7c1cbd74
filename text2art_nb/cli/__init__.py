"""The command line, a module for each kind of command. The words are parsed before anything heavy is imported."""
