const GENERAL = `Usage: spindlex <command> [options]

Commands:
  serve          start an SSH server, for a folder or to try a client against
  sftp-server    speak SFTP on standard input and output, as an sshd's subsystem
  hash-password  hash a password, for serve's --password-file

Options:
  -h, --help   show this help, or that of a command: spindlex serve --help
  --version    show the version
`;

const SERVE = `Usage: spindlex serve [options] [DIR]

Starts an SSH server. With DIR it serves that folder, and nothing outside it, over
SFTP and scp; without one, files in memory, to try it. With no options it listens
on 127.0.0.1:2222 and prints a password that is good until the server stops.

Options:
  --port PORT             port to listen on; 0 takes a free one (default: 2222)
  --host ADDRESS          address to listen on (default: 127.0.0.1)
  --listen ADDRESS        in place of both, and may be given several times:
                          192.0.2.1:22, [2001:db8::1]:22, /run/spindlex.sock
  --socket-mode MODE      permission bits of such a socket (default: 600)
  --read-only             allow no change in DIR
  --quota SIZE            how much all files in DIR may hold together: 500M, 10G
  --atomic-uploads        files appear in DIR when they are whole
  --rules FILE            who may do what to which paths of DIR, in JSON
  --homes                 each user has a folder of their own in DIR, made at the
                          first login; --quota is for each
  --shared PATH=DIR       DIR is at PATH in each home, to be read: /docs=/srv/docs
  --shared-writable PATH=DIR
                          the same, to be read and changed, within --rules; both
                          may be given several times
  --user NAME             the user who may log in (default: the user who runs
                          the server)
  --authorized-keys FILE  log in with one of these public keys, not a password;
                          lines as of sshd, with options
  --trusted-user-ca-keys FILE
                          log in with a certificate of one of these authorities
                          that names the user
  --revoked-keys FILE     refuse these keys and certificates: one key a line, or
                          a list that ssh-keygen -k has made
  --password-file FILE    several users, NAME:HASH a line, with hashes of spindlex
                          hash-password, argon2, bcrypt or a shadow file; keys and
                          certificates are for --user
  --host-key FILE         the server's private key, created if it is not there
                          (default: $XDG_STATE_HOME/spindlex/host_key, or
                          ~/.local/state/spindlex/host_key); may be given
                          several times, and the first key of each type is used
  --allow-exec            run commands as the user who runs the server; without it
                          they are only repeated, or refused if there is a DIR
  --shell                 run that user's login shell: ssh without a command. Both
                          are on a terminal where the client asks for one
  --allow-forwarding KINDS
                          forward some of local,remote,agent,x11: ssh -L, -D, -W
                          and -J; -R; -A; -X. agent and x11 are for the programs
                          of --allow-exec and --shell (default: nothing)
  --permit-open TARGETS   hosts that local connects to: db.internal:5432,
                          *.example.com:443, 10.0.0.0/8:22, [::1]:*; or any
  --permit-listen PLACES  ports that remote listens on: 8080, localhost:8081
                          (default: any from 1024 on)
  --gateway-ports WHERE   addresses that remote listens on: no is loopback, yes is
                          all, clientspecified those that the client asks for
                          (default: no)
  --allow-from NETWORKS   networks that clients may connect from:
                          192.0.2.0/24,2001:db8::/32 (default: all)
  --deny-from NETWORKS    networks that they may not connect from, even so
  --proxy-protocol-from NETWORKS
                          proxies that tell their client's address in a PROXY
                          protocol header
  --workers N             serve with N processes, or with one for each processor:
                          auto (default: this process serves by itself)
  --log-level LEVEL       error, warn, info, debug or silent (default: info)
  --json                  write JSON lines
  -h, --help              show this help

Environment:
  SPINDLEX_HOST_KEY_PASSPHRASE   passphrase of an encrypted host key
`;

const SFTP_SERVER = `Usage: spindlex sftp-server [-ehR] [-d DIR] [-f FACILITY] [-l LEVEL]
                            [-P REQUESTS] [-p REQUESTS] [-u UMASK]
       spindlex sftp-server -Q requests

Speaks SFTP on standard input and output, for all files of the user who runs it.
An sshd starts it: Subsystem sftp /usr/bin/spindlex sftp-server
Operands are ignored: scp -D passes some.

Options:
  -d DIR         where relative paths start; %d is the user's home, %u the user's
                 name, %% a percent sign (default: the working directory, which
                 under an sshd is the home)
  -e             log to standard error instead of syslog
  -f FACILITY    of syslog: DAEMON, USER, AUTH, LOCAL0 to LOCAL7 (default: AUTH)
  -l LEVEL       QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG1 to DEBUG3; INFO
                 tells which user transfers which file (default: ERROR)
  -P REQUESTS    deny these requests, names with commas between them
  -p REQUESTS    deny all requests but these
  -Q requests    list the names of requests
  -R             let nobody change anything
  -u UMASK       of new files and directories, in octal
  -h             show this help
`;

const HASH_PASSWORD = `Usage: spindlex hash-password

Asks for a password at the terminal, or reads it from standard input, and prints
its hash for a line of serve's --password-file:

  echo "ann:$(spindlex hash-password)" >>users

Options:
  -h, --help   show this help
`;

export const HELP = {
  general: GENERAL,
  serve: SERVE,
  "sftp-server": SFTP_SERVER,
  "hash-password": HASH_PASSWORD,
} as const;

export type HelpTopic = keyof typeof HELP;
