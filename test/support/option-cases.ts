/** What the options in front of a key come to: the flags that are left, and what else is set. */
export type Expected = string | "refused" | "not now";

export interface OptionCase {
  readonly options: string;
  /** As `describeOptions` in the tests tells them; "not now" is for options that refuse a login from 127.0.0.1 today. */
  readonly expected: Expected;
  /** What sshd does, where that is not the same: it lets in with a line that is refused here. */
  readonly sshd?: "accepted";
}

/** Letters of the flags: p pty, f port forwarding, a agent forwarding, x X11 forwarding, r user rc. */
const ALL = "pfaxr";

function same(expected: Expected, ...options: readonly string[]): OptionCase[] {
  return options.map((text) => ({ options: text, expected }));
}

function stricter(...options: readonly string[]): OptionCase[] {
  return options.map((text) => ({ options: text, expected: "refused", sshd: "accepted" }));
}

/** Option fields of lines for a plain key, and what comes of them. */
export const OPTION_CASES: readonly OptionCase[] = [
  // Flags
  ...same(ALL, "", "pty", "port-forwarding", "agent-forwarding", "X11-forwarding", "x11-forwarding", "user-rc"),
  ...same(
    ALL,
    "touch-required",
    "no-verify-required",
    "PTY",
    "Pty,User-RC",
    "no-pty,pty",
    ",pty",
    "pty,",
    ",",
    "pty,,pty",
  ),
  ...same("faxr", "no-pty", "NO-PTY", "No-Pty", "pty,no-pty", "pty,,no-pty", "no-pty,no-pty"),
  ...same("paxr", "no-port-forwarding", "No-Port-Forwarding"),
  ...same("pfxr", "no-agent-forwarding"),
  ...same("pfar", "no-X11-forwarding", "no-x11-forwarding", "NO-X11-FORWARDING"),
  ...same("pfax", "no-user-rc"),
  ...same("far", "no-pty,no-X11-forwarding"),
  ...same("r", "no-pty,no-port-forwarding,no-agent-forwarding,no-X11-forwarding"),
  ...same("", "restrict", "RESTRICT", "restrict,restrict", "pty,restrict", "restrict,no-pty", "restrict,pty,no-pty"),
  ...same("p", "restrict,pty", "restrict,no-pty,pty", "pty,restrict,pty"),
  ...same("f", "restrict,port-forwarding"),
  ...same("a", "restrict,agent-forwarding"),
  ...same("x", "restrict,X11-forwarding"),
  ...same("r", "restrict,user-rc"),
  ...same("pf", "restrict,pty,port-forwarding", "restrict,port-forwarding,pty"),
  ...same(ALL, "restrict,pty,port-forwarding,agent-forwarding,X11-forwarding,user-rc"),
  ...same(`${ALL} touch=optional`, "no-touch-required", "touch-required,no-touch-required"),
  ...same(`${ALL} verification=required`, "verify-required", "no-verify-required,verify-required"),
  ...same(" verification=required", "restrict,verify-required"),
  ...same(
    "refused",
    "unknown",
    "pty,unknown",
    "unknown,pty",
    "ptyx",
    "no-",
    "no-no-pty",
    "no-restrict",
    "no-cert-authority",
  ),
  ...same(
    "refused",
    "pty=",
    'pty="yes"',
    "pty=yes",
    'no-pty="1"',
    "pty;no-pty",
    "pty:no-pty",
    "restrict.",
    "no_pty",
    "-pty",
  ),
  ...same(
    "refused",
    "no-command",
    'no-command="true"',
    'no-from="127.0.0.1"',
    "x11",
    "forwarding",
    "permit-pty",
    "force-command",
  ),
  ...same("refused", "pty'", '"pty"', '"', 'pty"', "=", '="x"', "pty\\", "\\pty"),

  // command
  ...same(`${ALL} command=true`, 'command="true"', 'COMMAND="true"', 'Command="true"'),
  ...same(`${ALL} command=`, 'command=""'),
  ...same(`${ALL} command=echo "a"`, 'command="echo \\"a\\""'),
  ...same(`${ALL} command=echo a,b`, 'command="echo a,b"'),
  ...same(`${ALL} command=echo a=b # c`, 'command="echo a=b # c"'),
  ...same(`${ALL} command=echo \\a \\\\b`, 'command="echo \\a \\\\b"'),
  ...same("refused", 'command="echo \\\\"'),
  ...same(`${ALL} command=echo \ta`, 'command="echo \ta"'),
  ...same(`${ALL} command=no-pty,restrict`, 'command="no-pty,restrict"'),
  ...same("faxr command=true", 'no-pty,command="true"', 'command="true",no-pty'),
  ...same(" command=true", 'restrict,command="true"', 'command="true",restrict'),
  ...same(
    "refused",
    "command",
    "command=",
    "command=true",
    "command='true'",
    'command="true',
    'command=true"',
    'command="true\\"',
  ),
  ...same(
    "refused",
    'command="true"x',
    'command="true"no-pty',
    'command="true";pty',
    'command ="true"',
    'command= "true"',
  ),
  ...same("refused", 'command="true",command="true"', 'command="true",pty,command="false"', 'command="",command=""'),

  // from
  ...same(
    ALL,
    'from="127.0.0.1"',
    'from="127.0.0.0/8"',
    'from="10.0.0.1,127.0.0.1"',
    'from="127.*"',
    'from="127.0.0.?"',
  ),
  ...same(
    ALL,
    'from="*"',
    'from="0.0.0.0/0"',
    'from="!10.0.0.0/8,*"',
    'FROM="127.0.0.1"',
    'from="*.example.org,127.0.0.1"',
  ),
  ...same(
    "not now",
    'from="10.0.0.1"',
    'from="!127.0.0.1,*"',
    'from="*,!127.0.0.0/8"',
    'from="!10.0.0.1"',
    'from="::1"',
  ),
  ...same("not now", 'from="*.example.org"', 'from="10.0.0.1, 127.0.0.1"', 'from="128.*"', 'from="127.0.0"'),
  ...same(
    "refused",
    "from",
    "from=127.0.0.1",
    'from=""',
    'from="127.0.0.1/8"',
    'from="127.0.0.0/33"',
    'from="127.0.0.1,,10.0.0.1"',
  ),
  ...same("refused", 'from="127.0.0.1",from="127.0.0.1"', 'from="!"'),

  // expiry-time
  ...same(
    `${ALL} expiry=1893456000`,
    'expiry-time="20300101Z"',
    'expiry-time="20300101z"',
    'expiry-time="203001010000Z"',
  ),
  ...same(
    `${ALL} expiry=1893456000`,
    'expiry-time="20300101000000Z"',
    'expiry-time="20300101UTC"',
    'Expiry-Time="20300101Z"',
  ),
  ...same(
    `${ALL} expiry=1893456000`,
    'expiry-time="20300101Z",expiry-time="20300102Z"',
    'expiry-time="20300102Z",expiry-time="20300101Z"',
  ),
  ...same(`${ALL} expiry=1893499261`, 'expiry-time="20300101120101Z"'),
  ...same(`${ALL} expiry=1893499261`, 'expiry-time="20300101120061Z"'),
  ...same(`${ALL} expiry=1898726400`, 'expiry-time="20300231Z"', 'expiry-time="20300303Z"'),
  ...same(
    "not now",
    'expiry-time="20200101Z"',
    'expiry-time="20200101"',
    'expiry-time="20300101Z",expiry-time="20200101Z"',
  ),
  ...same("not now", 'expiry-time="19700102Z"'),
  ...same(
    "refused",
    "expiry-time",
    "expiry-time=20300101",
    'expiry-time=""',
    'expiry-time="2030"',
    'expiry-time="203001"',
    'expiry-time="2030010"',
  ),
  ...same(
    "refused",
    'expiry-time="2030010112"',
    'expiry-time="203001012400Z"',
    'expiry-time="203001011260Z"',
    'expiry-time="20300101120062Z"',
  ),
  ...same(
    "refused",
    'expiry-time="20301301Z"',
    'expiry-time="20300001Z"',
    'expiry-time="20300132Z"',
    'expiry-time="20300100Z"',
  ),
  ...same(
    "refused",
    'expiry-time="19690101Z"',
    'expiry-time="19700101Z"',
    'expiry-time="20300101+01"',
    'expiry-time="2030-01-01"',
    'expiry-time="never"',
  ),
  ...same("refused", 'expiry-time="20300101Z",expiry-time="never"', 'expiry-time="Z"', 'expiry-time="20300101ZZ"'),
  ...stricter('expiry-time="2030 1 1Z"'),

  // environment
  ...same(`${ALL} A=b`, 'environment="A=b"', 'ENVIRONMENT="A=b"', 'environment="A=b",environment="A=c"'),
  ...same(`${ALL} A=`, 'environment="A="'),
  ...same(`${ALL} A=b=c`, 'environment="A=b=c"'),
  ...same(`${ALL} A=b "c"`, 'environment="A=b \\"c\\""'),
  ...same(`${ALL} A=b B_1=c`, 'environment="A=b",environment="B_1=c"'),
  ...same(`${ALL} 1A=b`, 'environment="1A=b"'),
  ...same(`${ALL} __proto__=b`, 'environment="__proto__=b"'),
  ...same(
    "refused",
    "environment",
    'environment="A"',
    'environment=""',
    'environment="=b"',
    'environment="A-B=b"',
    'environment="A B=b"',
  ),
  ...same("refused", 'environment="É=b"', "environment=A=b", 'environment=" A=b"'),

  // permitopen, permitlisten
  ...same(
    `${ALL} open=host:80`,
    'permitopen="host:80"',
    'PermitOpen="host:80"',
    'permitopen="[host]:80"',
    'permitopen="host/80"',
  ),
  ...same(`${ALL} open=host:80`, 'permitopen="host:080"'),
  ...same(`${ALL} open=::1:80`, 'permitopen="[::1]:80"'),
  ...same(`${ALL} open=host:*`, 'permitopen="host:*"'),
  ...same(`${ALL} open=*:*`, 'permitopen="*:*"'),
  ...same(`${ALL} open=*:65535`, 'permitopen="*:65535"'),
  ...same(`${ALL} open=:80`, 'permitopen=":80"'),
  ...same(`${ALL} open=a:1,b:2`, 'permitopen="a:1",permitopen="b:2"'),
  ...same("paxr open=host:80", 'permitopen="host:80",no-port-forwarding'),
  ...same("f open=host:80", 'restrict,port-forwarding,permitopen="host:80"'),
  ...same(" open=host:80", 'restrict,permitopen="host:80"'),
  ...same(
    "refused",
    "permitopen",
    "permitopen=host:80",
    'permitopen=""',
    'permitopen="host"',
    'permitopen="80"',
    'permitopen="host:"',
  ),
  ...same(
    "refused",
    'permitopen="host:0"',
    'permitopen="host:65536"',
    'permitopen="host:-1"',
    'permitopen="host:80:90"',
    'permitopen="::1:80"',
  ),
  ...same(
    "refused",
    'permitopen="[::1]"',
    'permitopen="[::1]80"',
    'permitopen="[::1:80"',
    'permitopen="none"',
    'permitopen="any"',
  ),
  ...same(
    "refused",
    'permitopen="host:80",permitopen="host"',
    'permitopen="host:80 "',
    'permitopen="host:nosuchservice"',
  ),
  ...stricter('permitopen="host:http"', 'permitopen="host:+80"', 'permitopen="host: 80"'),
  ...same(`${ALL} listen=*:8080`, 'permitlisten="8080"', 'permitlisten="*:8080"', 'PERMITLISTEN="8080"'),
  ...same(`${ALL} listen=*:*`, 'permitlisten="*"', 'permitlisten="*:*"'),
  ...same(`${ALL} listen=localhost:8080`, 'permitlisten="localhost:8080"'),
  ...same(`${ALL} listen=:::22`, 'permitlisten="[::]:22"'),
  ...same(`${ALL} listen=*:1,*:2`, 'permitlisten="1",permitlisten="2"'),
  ...same(`${ALL} open=a:1 listen=*:2`, 'permitopen="a:1",permitlisten="2"'),
  ...same(
    "refused",
    "permitlisten",
    'permitlisten=""',
    'permitlisten="host"',
    'permitlisten="0"',
    'permitlisten="65536"',
    'permitlisten="none"',
  ),

  // tunnel: there are none, and yet it has to be right
  ...same(ALL, 'tunnel="0"', 'tunnel="any"', 'tunnel="ANY"', 'tunnel="2147483645"', 'tunnel="1",tunnel="2"'),
  ...same(
    "refused",
    "tunnel",
    "tunnel=0",
    'tunnel=""',
    'tunnel="-1"',
    'tunnel="x"',
    'tunnel="0:1"',
    'tunnel="2147483646"',
    'tunnel="1.5"',
  ),

  // What is for authorities alone
  ...same("refused", 'principals="root"', 'principals=""', 'principals="a",principals="b"', "principals"),

  // White space ends the options
  ...same("refused", "pty no-pty", "pty ,no-pty", "pty , no-pty", 'command="true" pty', "pty\tno-pty"),
];
