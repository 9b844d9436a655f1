import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../src/cli/command-line.js";
import { UsageError } from "../../src/cli/errors.js";

const DEFAULTS = { allowExec: false, shell: false, logLevel: "info", json: false };

describe("parseCommandLine", () => {
  it("gives serve safe defaults", () => {
    expect(parseCommandLine(["serve"])).toEqual({ command: "serve", options: DEFAULTS });
    expect(parseCommandLine(["serve", "a folder"])).toEqual({
      command: "serve",
      options: { ...DEFAULTS, folder: { path: "a folder", readOnly: false } },
    });
  });

  it("reads every option of serve", () => {
    const args =
      "serve --port 0 --host ::1 --user ann --authorized-keys a --trusted-user-ca-keys c --revoked-keys r --password-file p --host-key=h " +
      "--allow-exec --shell --log-level debug --json --read-only --quota 10G --rules r.json /srv/files " +
      "--allow-from 10.0.0.0/8,::1 --deny-from 10.1.0.0/16 --proxy-protocol-from 10.0.0.1";
    expect(parseCommandLine(args.split(" "))).toEqual({
      command: "serve",
      options: {
        listen: [{ host: "::1", port: 0 }],
        folder: { path: "/srv/files", readOnly: true, quota: 10 * 1024 ** 3, rules: "r.json" },
        user: "ann",
        authorizedKeys: "a",
        trustedUserCAKeys: "c",
        revokedKeys: "r",
        passwordFile: "p",
        hostKeys: ["h"],
        allowExec: true,
        shell: true,
        allowFrom: "10.0.0.0/8,::1",
        denyFrom: "10.1.0.0/16",
        proxyProtocolFrom: "10.0.0.1",
        logLevel: "debug",
        json: true,
      },
    });
  });

  it("stages uploads where it is told to", () => {
    const folder = { path: "d", readOnly: false, atomicUploads: true };
    expect(parseCommandLine(["serve", "--atomic-uploads", "d"])).toMatchObject({ options: { folder } });
  });

  it("reads what is in all homes", () => {
    const args = [
      "serve",
      "--homes",
      "--shared",
      "/docs=/srv/docs",
      "--shared",
      "/a/b=c=d",
      "--shared-writable",
      "/in=e",
    ];
    const shared = [
      { path: "/docs", folder: "/srv/docs", isWritable: false },
      { path: "/a/b", folder: "c=d", isWritable: false },
      { path: "/in", folder: "e", isWritable: true },
    ];
    expect(parseCommandLine([...args, "d"])).toMatchObject({ options: { folder: { homes: true, shared } } });
  });

  it("reads what serve forwards", () => {
    const args =
      "serve --allow-exec --allow-forwarding local,remote,agent,x11 --permit-open db.internal:5432,10.0.0.0/8:* " +
      "--permit-listen 8080,localhost:9090,[::1]:* --gateway-ports clientspecified";
    const forwarding = {
      local: ["db.internal:5432", "10.0.0.0/8:*"],
      remote: {
        listen: [
          { host: "*", port: 8080 },
          { host: "localhost", port: 9090 },
          { host: "::1", port: "*" },
        ],
        gatewayPorts: "clientspecified",
      },
      agent: true,
      x11: true,
    };
    expect(parseCommandLine(args.split(" "))).toMatchObject({ options: { forwarding } });
    const few = ["serve", "--allow-forwarding", "local", "--permit-open", "any"];
    expect(parseCommandLine(few)).toMatchObject({
      options: { forwarding: { local: "any", agent: false, x11: false } },
    });
    const remote = parseCommandLine(["serve", "--allow-forwarding", "remote"]);
    expect(remote).toMatchObject({ options: { forwarding: { remote: { gatewayPorts: "no" } } } });
  });

  it("takes several addresses, and a mode for sockets", () => {
    const listen = (...args: string[]) => parseCommandLine(["serve", ...args]);
    const args = ["--listen", "192.0.2.1:22", "--listen=[::1]:0", "--listen", "localhost:22", "--listen", "/run/a b"];
    const ports = [
      { host: "192.0.2.1", port: 22 },
      { host: "::1", port: 0 },
      { host: "localhost", port: 22 },
    ];
    expect(listen(...args)).toMatchObject({ options: { listen: [...ports, { path: "/run/a b" }] } });
    expect(listen(...args, "--socket-mode", "0660")).toMatchObject({
      options: { listen: [...ports, { path: "/run/a b", mode: 0o660 }] },
    });
    expect(listen("--host", "::1")).toMatchObject({ options: { listen: [{ host: "::1", port: 2222 }] } });
    expect(listen("--port", "22")).toMatchObject({ options: { listen: [{ host: "127.0.0.1", port: 22 }] } });
  });

  it.each(["", "22", ":22", "::1:22", "[::1]", "host:", "host:ssh", "host:65536", "run/socket", "[]:22", "a\tb:2"])(
    "refuses to listen on %j",
    (address) => {
      expect(() => parseCommandLine(["serve", "--listen", address])).toThrow(UsageError);
    },
  );

  it("takes several host keys in their order", () => {
    const args = ["serve", "--host-key", "old", "--host-key=next"];
    expect(parseCommandLine(args)).toMatchObject({ options: { hostKeys: ["old", "next"] } });
    expect(() => parseCommandLine([...args, "--host-key", ""])).toThrow("--host-key is empty");
  });

  it.each([
    ["0", 0],
    ["1", 1],
    ["1k", 1024],
    ["500M", 500 * 1024 ** 2],
    ["2T", 2 * 1024 ** 4],
  ])("takes %s for a quota of %d bytes", (text, quota) => {
    expect(parseCommandLine(["serve", "--quota", text, "d"])).toMatchObject({ options: { folder: { quota } } });
  });

  it.each([
    { args: ["--help"], topic: "general" },
    { args: ["-h"], topic: "general" },
    { args: ["help"], topic: "general" },
    { args: ["help", "nothing"], topic: "general" },
    { args: ["help", "serve"], topic: "serve" },
    { args: ["serve", "--help"], topic: "serve" },
    { args: ["serve", "--port", "1", "-h"], topic: "serve" },
    { args: ["help", "sftp-server"], topic: "sftp-server" },
    { args: ["sftp-server", "-h"], topic: "sftp-server" },
    { args: ["sftp-server", "--help"], topic: "sftp-server" },
    { args: ["hash-password", "--help"], topic: "hash-password" },
  ])("shows $topic help for $args", ({ args, topic }) => {
    expect(parseCommandLine(args)).toEqual({ command: "help", topic });
  });

  it.each([
    { args: ["--version"], command: "version" },
    { args: ["hash-password"], command: "hash-password" },
    { args: ["sftp-server", "-Q", "requests"], command: "list-requests" },
  ])("takes $args for $command", ({ args, command }) => {
    expect(parseCommandLine(args)).toEqual({ command });
  });

  it.each([
    { args: [], message: "a command is missing (see spindlex --help)" },
    { args: ["server"], message: "unknown command 'server' (see spindlex --help)" },
    {
      args: ["serve", "--prot", "22"],
      message: "Unknown option '--prot' (did you mean --port? see spindlex serve --help)",
    },
    {
      args: ["serve", "--rule", "x"],
      message: "Unknown option '--rule' (did you mean --rules? see spindlex serve --help)",
    },
    { args: ["serve", "--verbose"], message: "Unknown option '--verbose' (see spindlex serve --help)" },
    { args: ["serve", "--port", "65536"], message: "--port is '65536', not a number from 0 to 65535" },
    { args: ["serve", "--port", "22a"], message: "--port is '22a', not a number from 0 to 65535" },
    { args: ["serve", "--port", ""], message: "--port is '', not a number from 0 to 65535" },
    { args: ["serve", "--port=-1"], message: "--port is '-1', not a number from 0 to 65535" },
    { args: ["serve", "--host", ""], message: "--host is empty" },
    {
      args: ["serve", "--listen", "::1:22"],
      message: "--listen is '::1:22', not HOST:PORT, [IPV6]:PORT or the absolute path of a socket",
    },
    {
      args: ["serve", "--listen", "/run/x", "--port", "22"],
      message: "--listen is in place of --host and --port: give an address and its port together",
    },
    {
      args: ["serve", "--listen", "/run/x", "--socket-mode", "999"],
      message: "--socket-mode is '999', not permission bits such as 660",
    },
    {
      args: ["serve", "--listen", "localhost:22", "--socket-mode", "660"],
      message: "--socket-mode needs --listen with the path of a socket",
    },
    { args: ["serve", "--user", "a\nb"], message: "--user holds a control character" },
    {
      args: ["serve", "--log-level", "loud"],
      message: "--log-level is 'loud', not one of error, warn, info, debug, silent",
    },
    { args: ["serve", ""], message: "the folder's name is empty" },
    { args: ["serve", "a", "b"], message: "only one folder can be served (see spindlex serve --help)" },
    { args: ["serve", "--read-only"], message: "--read-only needs a folder to serve (see spindlex serve --help)" },
    { args: ["serve", "--quota", "1G"], message: "--quota needs a folder to serve (see spindlex serve --help)" },
    {
      args: ["serve", "--atomic-uploads"],
      message: "--atomic-uploads needs a folder to serve (see spindlex serve --help)",
    },
    {
      args: ["serve", "--atomic-uploads", "--read-only", "d"],
      message: "--atomic-uploads does nothing with --read-only",
    },
    { args: ["serve", "--rules", "r"], message: "--rules needs a folder to serve (see spindlex serve --help)" },
    { args: ["serve", "--rules", "", "d"], message: "--rules is empty" },
    { args: ["serve", "--shared", "/a=/b", "d"], message: "--shared and --shared-writable need --homes" },
    ...["docs=/srv/docs", "/docs", "/docs=", "/=/srv", "/docs/=/srv"].map((value) => ({
      args: ["serve", "--homes", "--shared-writable", value, "d"],
      message: `--shared-writable is '${value}', not a path in the homes and a folder, as in /docs=/srv/docs`,
    })),
    { args: ["serve", "--homes", "--shared", "", "d"], message: "--shared is empty" },
    {
      args: ["serve", "--homes", "--shared", "/a=b", "--shared-writable", "/a=c", "d"],
      message: "/a is shared twice",
    },
    {
      args: ["serve", "--homes", "--read-only", "--shared-writable", "/a=b", "d"],
      message: "--shared-writable does nothing with --read-only",
    },
    { args: ["serve", "--quota", "1X", "d"], message: "--quota is '1X', not a size such as 500M or 10G" },
    { args: ["serve", "--quota", "", "d"], message: "--quota is '', not a size such as 500M or 10G" },
    { args: ["serve", "--quota=-1", "d"], message: "--quota is '-1', not a size such as 500M or 10G" },
    { args: ["serve", "--quota", "9000T", "d"], message: "--quota is '9000T', not a size such as 500M or 10G" },
    {
      args: ["serve", "--user", "ann", "--password-file", "f"],
      message: "--user does nothing with --password-file alone: that file names the users",
    },
    { args: ["serve", "--permit-open", "a:1"], message: "--permit-open needs --allow-forwarding local" },
    { args: ["serve", "--permit-listen", "8080"], message: "--permit-listen needs --allow-forwarding remote" },
    { args: ["serve", "--gateway-ports", "yes"], message: "--gateway-ports needs --allow-forwarding remote" },
    {
      args: ["serve", "--allow-forwarding", "local"],
      message: "--allow-forwarding local needs --permit-open HOST:PORT,…, or --permit-open any for all hosts",
    },
    {
      args: ["serve", "--allow-forwarding", "agent"],
      message: "--allow-forwarding agent needs --allow-exec or --shell: it is for the programs that are run",
    },
    {
      args: ["serve", "--allow-forwarding", "remote,yes"],
      message: "an element of --allow-forwarding is 'yes', not one of local, remote, agent, x11",
    },
    {
      args: ["serve", "--allow-forwarding", "local", "--permit-open", "any,a:1"],
      message: "--permit-open is 'any' or a list, not both",
    },
    {
      args: ["serve", "--allow-forwarding", "local", "--permit-open", "a:1,"],
      message: "an element of --permit-open is empty",
    },
    { args: ["serve", "--allow-forwarding", ""], message: "--allow-forwarding is empty" },
    {
      args: ["serve", "--allow-forwarding", "local", "--permit-open", "db.internal"],
      message: "--permit-open: 'db.internal' has no port: HOST:PORT is needed, or HOST:* for all ports",
    },
    {
      args: ["serve", "--allow-forwarding", "local", "--permit-open", "[::1]:ssh"],
      message: "--permit-open: '[::1]:ssh' has no port of 1 to 65535, no range such as 8000-8080, and no *",
    },
    {
      args: ["serve", "--allow-forwarding", "local", "--permit-open", "/run/x.sock"],
      message: "--permit-open: '/run/x.sock' is a socket of the file system, and this command does not forward those",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--permit-listen", "/run/x.sock"],
      message: "--permit-listen: '/run/x.sock' is a socket of the file system, and this command does not forward those",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--permit-listen", "localhost:8080-8090"],
      message: "--permit-listen: 'localhost:8080-8090' is a range, and there are none here: name each port",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--permit-listen", "host"],
      message: "--permit-listen: 'host' is not a port, or ADDRESS:PORT",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--permit-listen", "::1:65536"],
      message: "--permit-listen: '::1:65536' is not a port, or ADDRESS:PORT",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--permit-listen", "localhost:80"],
      message: "--permit-listen: ports under 1024, such as 80, are not listened on",
    },
    {
      args: ["serve", "--allow-forwarding", "remote", "--gateway-ports", "on"],
      message: "--gateway-ports is 'on', not one of no, yes, clientspecified",
    },
    ...["allow-from", "deny-from", "proxy-protocol-from", "allow-forwarding", "permit-open", "permit-listen"].map(
      (option) => ({
        args: ["serve", `--${option}`, "A", "d", `--${option}=B`],
        message: `--${option} was given twice: write its values with commas`,
      }),
    ),
    { args: ["serve", "--port", "1", "--port", "1"], message: "--port was given twice" },
    { args: ["hash-password", "-x"], message: "Unknown option '-x' (see spindlex hash-password --help)" },
  ])("refuses $args", ({ args, message }) => {
    expect(() => parseCommandLine(args)).toThrow(new UsageError(message));
  });

  it.each([[["serve", "--json=yes"]], [["serve", "--port"]]])("refuses %j in one line with a hint", (args) => {
    expect(() => parseCommandLine(args)).toThrow(/^[^\n]+ \(see spindlex serve --help\)$/);
  });
});
