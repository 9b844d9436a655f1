import { describe, expect, it, onTestFinished } from "vitest";
import { CommandLineError, Grant, type Session } from "../../src/index.js";
import { Writer } from "../../src/protocol/writer.js";
import { Deferred } from "../attack/deferred.js";
import { PacketClient } from "../support/packet-client.js";
import * as messages from "../support/packet-messages.js";
import { commandEnd, openCommand, sessionFixture } from "./session-fixture.js";

interface Account {
  readonly id: number;
}

describe("a session", () => {
  const fixture = sessionFixture({
    authentication: {
      none: (username) =>
        username === "forced"
          ? new Grant({ permissions: { forceCommand: "the forced one", environment: { ROLE: "guest" } } })
          : new Grant<Account>({ data: { id: 42 } }),
    },
  });
  const { handle, exec, connect, server, log } = fixture;

  /** What `read` finds in the next session. */
  function seen<Value>(read: (session: Session<unknown>) => Value): Promise<Value> {
    const found = new Deferred<Value>();
    handle((session) => found.resolve(read(session)));
    return found.promise;
  }

  /** A session's channel of a client that sends packet by packet. */
  async function openChannel() {
    const client = await PacketClient.authenticating(server.port);
    onTestFinished(() => client.close());
    await client.authenticate(messages.noneRequest("ann"));
    return { client, channel: await client.openSession() };
  }

  it("has its user, and what the login has given", async () => {
    const found = seen(({ user, data, identity, connection, channel }) => ({
      ...{ user, data, methods: identity.methods },
      same: connection === channel.connection && connection.identity === identity,
    }));
    await exec("any");
    expect(await found).toEqual({ user: "ann", data: { id: 42 }, methods: ["none"], same: true });
  });

  it("has its command as text, bytes and words", async () => {
    const found = seen((session) => ({
      ...{ kind: session.kind, command: session.command, bytes: session.commandBytes?.toString("latin1") },
      ...{ words: session.argv(), subsystem: session.subsystem, original: session.originalCommand },
    }));
    await exec(`put "two words" it\\'s 'a $b' *.txt`);
    expect(await found).toEqual({
      ...{ kind: "exec", command: `put "two words" it\\'s 'a $b' *.txt`, bytes: `put "two words" it\\'s 'a $b' *.txt` },
      ...{ words: ["put", "two words", "it's", "a $b", "*.txt"], subsystem: undefined, original: undefined },
    });
  });

  it.each(["ls | wc", "ls > /etc/passwd", "echo $HOME", "echo `id`", "a; b", "a && b", "(a)", "'open"])(
    "has no words for a line that needs a shell: %s",
    async (line) => {
      const thrown = seen((session) => {
        try {
          return session.argv();
        } catch (error) {
          return error;
        }
      });
      await exec(line);
      expect(await thrown).toBeInstanceOf(CommandLineError);
    },
  );

  it("tells the client of a line that needs a shell, and has no error in the log", async () => {
    fixture.handle((session) => void session.argv());
    expect(await exec("ls; id")).toMatchObject({ status: 2, stderr: "the command line needs a shell\n" });
    expect(await exec("echo 'a")).toMatchObject({
      status: 2,
      stderr: "the command line has a quote that does not end\n",
    });
    expect(fixture.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("replaces what is not UTF-8 in the text of its command, and has the bytes", async () => {
    const found = seen((session) => [session.command, session.commandBytes]);
    const command = Buffer.from("caf\xe9", "latin1");
    const { client, channel } = await openChannel();
    const { id } = channel;
    client.sendPacket(messages.channelRequest(id, "exec", "want-reply", new Writer().writeString(command).toBuffer()));
    expect(await found).toEqual(["caf\ufffd", command]);
  });

  it("is a shell where there is no command", async () => {
    const found = seen(({ kind, command, commandBytes, argv }) => ({ kind, command, commandBytes, argv }));
    using ssh = fixture.ssh([], undefined, { input: new Uint8Array() });
    await ssh.finished;
    expect(await found).toMatchObject({ kind: "shell", command: undefined, commandBytes: undefined });
    const words = seen((session) => session.argv());
    using again = fixture.ssh([], undefined, { input: new Uint8Array() });
    await again.finished;
    expect(await words).toEqual([]);
  });

  it("is a subsystem with its name; sftp is refused where no files are declared", async () => {
    const found = seen(({ kind, subsystem, command }) => ({ kind, subsystem, command }));
    using ssh = fixture.ssh(["-s"], "netconf", { input: new Uint8Array() });
    expect(await ssh.finished).toMatchObject({ code: 0 });
    expect(await found).toEqual({ kind: "subsystem", subsystem: "netconf", command: undefined });
    using sftp = fixture.ssh(["-s"], "sftp", { input: new Uint8Array() });
    expect(await sftp.finished).toMatchObject({ code: 255, stdout: Buffer.alloc(0) });
    const line = await fixture.logged("warn", "a request was refused");
    expect(line.fields).toMatchObject({ remedy: "declare sftp, or override checkChannelSubsystemRequest" });
  });

  it("has the command that was asked for where another one is forced, and the login's variables", async () => {
    const found = seen(({ kind, command, originalCommand, env }) => ({ kind, command, originalCommand, ...env }));
    using client = await connect({ username: "forced" });
    await commandEnd(await openCommand(client, "asked"));
    expect(await found).toEqual({
      ...{ kind: "exec", command: "the forced one", originalCommand: "asked" },
      ...{ ROLE: "guest", SSH_ORIGINAL_COMMAND: "asked" },
    });
  });

  it("has the client's variables that say how text is shown, and no others", async () => {
    const found = seen(({ env }) => env);
    using client = await connect();
    const env = {
      LANG: "de_DE.UTF-8",
      LC_ALL: "C",
      LC_odd: "1",
      COLORTERM: "truecolor",
      LD_PRELOAD: "x",
      PATH: "/",
      TERM: "t",
    };
    await commandEnd(await openCommand(client, "any", { env }));
    const { LD_PRELOAD, PATH, TERM, ...harmless } = env;
    expect(await found).toEqual(Object.assign(Object.create(null), harmless));
  });

  it("takes any number of variables, and keeps few", async () => {
    const found = seen(({ env }) => Object.values(env).join("").length);
    const { client, channel } = await openChannel();
    const { id } = channel;
    for (let index = 0; index < 10_000; index++) {
      const variable = new Writer().writeString(`LC_${index}`).writeString("x".repeat(100)).toBuffer();
      client.sendPacket(messages.channelRequest(id, "env", "no-reply", variable));
    }
    client.sendPacket(messages.execRequest(id, "any"));
    expect(await found).toBeLessThan(64 * 1024);
    expect(log.filter(({ message }) => message === "a request was refused").length).toBeLessThan(3);
  });

  it("hears signals while it listens; the oldest of very many are dropped", async () => {
    const listening = new Deferred();
    const sent = new Deferred();
    const names: string[] = [];
    handle(async (session) => {
      const signals = session.signals();
      session.stdout.write("listening");
      listening.resolve();
      await sent.promise;
      for await (const name of signals) {
        names.push(name);
        if (name === "USR1") return 5;
      }
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    const end = commandEnd(channel);
    await listening.promise;
    for (let index = 0; index < 200; index++) channel.signal("INT");
    channel.signal("USR1");
    await new Promise((resolve) => client.exec("another", resolve));
    sent.resolve();
    expect(await end).toMatchObject({ status: 5 });
    expect(names).toEqual([...Array(63).fill("INT"), "USR1"]);
  });

  it("is ended by a signal that nobody handles, if it is one that ends", async () => {
    const started = new Deferred();
    handle(async ({ signal }) => {
      started.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return 3;
    });
    using client = await connect();
    const channel = await openCommand(client, "any");
    await started.promise;
    const end = commandEnd(channel);
    for (const harmless of ["USR1", "USR2", "FPE"]) channel.signal(harmless);
    channel.signal("TERM");
    expect(await end).toMatchObject({ signal: "SIGTERM" });
  });

  it("is ended by ^C on a terminal whose keys nobody reads", async () => {
    handle(async ({ signal, stdout }) => {
      stdout.write("running");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    using client = await connect();
    const channel = await openCommand(client, "any", { pty: true });
    const end = commandEnd(channel);
    channel.once("data", () => channel.write("\u0003"));
    expect(await end).toMatchObject({ signal: "SIGINT" });
  });

  it("hears breaks while it listens, and refuses them otherwise", async () => {
    const listening = new Deferred();
    handle(async (session) => {
      const breaks = session.breaks[Symbol.asyncIterator]();
      listening.resolve();
      const { value } = await breaks.next();
      await breaks.return?.();
      return value === 500 ? 5 : 1;
    });
    const { client, channel } = await openChannel();
    client.sendPacket(messages.execRequest(channel.id, "any"));
    await listening.promise;
    client.sendPacket(
      messages.channelRequest(channel.id, "break", "no-reply", new Writer().writeUint32(500).toBuffer()),
    );
    expect(await client.readProgram(channel)).toMatchObject({ exitStatus: 5 });
  });
});
