export const GENERAL_HELP = `Usage: spindlex <command> [options]

Commands:
  serve        start an SSH server

Options:
  -h, --help   show this help, or that of a command: spindlex serve --help
  --version    show the version
`;

export const SERVE_HELP = `Usage: spindlex serve [options]

Starts an SSH server. With no options it listens on 127.0.0.1:2222 and prints a
password that is good until the server stops.

Options:
  --port PORT             port to listen on; 0 takes a free one (default: 2222)
  --host ADDRESS          address to listen on (default: 127.0.0.1)
  --user NAME             the user who may log in (default: who runs the server)
  --authorized-keys FILE  log in with one of these public keys, not a password
  --host-key FILE         the server's private key, created if it is not there
                          (default: $XDG_STATE_HOME/spindlex/host_key, or
                          ~/.local/state/spindlex/host_key)
  --allow-exec            run commands and the login shell as the user who runs
                          the server; without it commands are only repeated
  --log-level LEVEL       error, warn, info, debug or silent (default: info)
  --json                  write JSON lines
  -h, --help              show this help

Environment:
  SPINDLEX_HOST_KEY_PASSPHRASE   passphrase of an encrypted host key
`;
