import { describe, expect, it, vi } from "vitest";
import { Grant } from "../../src/index.js";
import { Writer } from "../../src/protocol/writer.js";
import { channelRequest } from "../support/packet-messages.js";
import { ProgramServer, programClient, requestTerminal, startCommand } from "./program-server.js";

const words = (text: string) => text.split(" ") as [string, ...string[]];
const account = { name: "ann", home: "/", shell: "/bin/sh" };

const variable = (channel: number, name: string, value: string | Buffer) =>
  channelRequest(channel, "env", "no-reply", new Writer().writeString(name).writeString(value).toBuffer());

function parse(text: string): Record<string, string> {
  const lines = text.trim().split(/\r?\n/);
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

describe("the environment of a program", () => {
  it("is built from the account and the connection, and has nothing of the server's", async () => {
    vi.stubEnv("SERVER_SECRET", "secret");
    const { client, server } = await programClient(new ProgramServer({ account, env: { SHLVL: undefined } }, words));
    const { stdout } = await client.exec("/usr/bin/env");
    vi.unstubAllEnvs();
    const address = expect.stringMatching(/^127\.0\.0\.1 \d+ \d+$/);
    expect(parse(stdout.toString())).toEqual({
      PATH: expect.stringMatching(/^\/usr\/local\/s?bin:/),
      HOME: "/",
      USER: "ann",
      LOGNAME: "ann",
      SHELL: "/bin/sh",
      SSH_CLIENT: address,
      SSH_CONNECTION: expect.stringMatching(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+$/),
    });
    await server.ends[0];
  });

  it("has TERM and SSH_TTY on a terminal", async () => {
    const { client } = await programClient(new ProgramServer({ account }, words));
    const channel = await client.openSession();
    await requestTerminal(client, channel, { term: "vt100" });
    await startCommand(client, channel, "/usr/bin/env");
    const { stdout } = await client.readProgram(channel);
    expect(parse(stdout.toString())).toMatchObject({
      TERM: "vt100",
      SSH_TTY: expect.stringMatching(/^\/dev\/pts\/\d+$/),
    });
  });

  it("has what the client was allowed to send, unless it is something else's, or not UTF-8", async () => {
    const { client, lines } = await programClient(new ProgramServer({ account }, words));
    const channel = await client.openSession();
    for (const [name, value] of [
      ["LC_TEST", "g\u00fcn"],
      ["HOME", "/elsewhere"],
      ["SSH_CLIENT", "10.0.0.1 1 1"],
      ["LC_ODD", Buffer.from([0xff])],
    ] as const) {
      client.sendPacket(variable(channel.id, name, value));
    }
    await startCommand(client, channel, "/usr/bin/env");
    const environment = parse((await client.readProgram(channel)).stdout.toString());
    expect(environment).toMatchObject({ LC_TEST: "g\u00fcn", HOME: "/", SSH_CLIENT: expect.stringMatching(/^127/) });
    expect(environment).not.toHaveProperty("LC_ODD");
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "warn", msg: "variables that are not UTF-8 were left out", variables: 1 }),
    );
  });

  it("has what the program's starter says before all else", async () => {
    const env = { HOME: "/srv", LANG: "C.UTF-8", SHELL: undefined };
    const { client } = await programClient(new ProgramServer({ account, env }, words));
    const environment = parse((await client.exec("/usr/bin/env")).stdout.toString());
    expect(environment).toMatchObject({ HOME: "/srv", LANG: "C.UTF-8", USER: "ann" });
    expect(environment).not.toHaveProperty("SHELL");
  });

  it("has the variables of a user's permissions, which count more than those of the account", async () => {
    class GrantingServer extends ProgramServer {
      override checkAuthPassword() {
        return new Grant({ permissions: { environment: { PATH: "/opt/bin", TEAM: "blue" } } });
      }
    }
    const { client } = await programClient(new GrantingServer({ account }, words));
    const channel = await client.openSession();
    client.sendPacket(variable(channel.id, "TEAM", "red"));
    await startCommand(client, channel, "/usr/bin/env");
    expect(parse((await client.readProgram(channel)).stdout.toString())).toMatchObject({
      PATH: "/opt/bin",
      TEAM: "blue",
    });
  });
});
