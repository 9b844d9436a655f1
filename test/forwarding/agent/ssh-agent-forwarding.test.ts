import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Channel } from "../../../src/index.js";
import { needs, TOOLS, TRIED_SSHS } from "../../support/clients.js";
import { ClientKeys, KEY_TYPES } from "../../support/clients-keys.js";
import { serverFixture } from "../../support/server-fixture.js";
import { ExternalProcess, run, runOk, temporaryFolder } from "../../support/tools.js";
import { AgentServer } from "./agent-server.js";

const LOGIN = { user: "admin", password: "secret" };

/** Runs programs that use the agent of the client. */
class HopServer extends AgentServer {
  /** How `ssh` gets from here to the next server, without a key of its own. */
  hop: { readonly program: string; readonly parameters: readonly string[] } = { program: "false", parameters: [] };
  lastSocket = "";

  override checkChannelExecRequest(channel: Channel, command: Buffer): true {
    this.#run(channel, `${command}`).then(
      ({ code, output }) => {
        channel.send(output);
        channel.sendExitStatus(code);
        channel.close();
      },
      (error) => {
        channel.sendStderr(String(error));
        channel.sendExitStatus(99);
        channel.close();
      },
    );
    return true;
  }

  async #run(channel: Channel, command: string): Promise<{ code: number; output: string }> {
    const { agent } = channel;
    if (agent === undefined) return { code: 3, output: "no agent" };
    if (command === "keys") {
      const signed = (await agent.list()).map(async (key) => {
        const data = Buffer.from("in the user's name");
        return key.publicKey?.verify(data, await key.sign(data)) ? key.publicKey.fingerprint() : "wrong";
      });
      return { code: 0, output: (await Promise.all(signed)).join("\n") };
    }
    this.lastSocket = await agent.listen();
    const { program, parameters } = command === "hop" ? this.hop : { program: TOOLS["ssh-add"], parameters: ["-l"] };
    const environment = { SSH_AUTH_SOCK: `${channel.environment.get("SSH_AUTH_SOCK")}` };
    const { code = 98, stdout, stderr } = await run(program, parameters, { environment });
    return { code, output: code === 0 ? stdout.toString() : stderr };
  }
}

for (const client of TRIED_SSHS) {
  describe(`${client} -A`, needs(client, "ssh-agent", "ssh-add"), () => {
    const server = new HopServer();
    const fixture = serverFixture({ server });
    const next = serverFixture({ server: new AgentServer() });
    const keys = new ClientKeys();
    const path = join(temporaryFolder(), "agent");
    let agent: ExternalProcess | undefined;

    beforeAll(async () => {
      agent = new ExternalProcess(TOOLS["ssh-agent"], ["-D", "-a", path]);
      await agent.untilOutput("SSH_AUTH_SOCK");
      const files = await Promise.all(KEY_TYPES.map((type) => keys.openssh(type)));
      await runOk(TOOLS["ssh-add"], ["-q", ...files], { environment: { SSH_AUTH_SOCK: path } });
      server.hop = await hopTo();
    });
    afterAll(() => agent?.kill());

    async function hopTo(): Promise<{ program: string; parameters: readonly string[] }> {
      const { program, parameters } = await next.clients.openssh(client, next.server, { user: "admin" });
      const fromAgent = ["-o", "IdentitiesOnly=no", "-o", "BatchMode=yes", "-A"];
      return { program, parameters: [...fromAgent, ...parameters, "127.0.0.1", "hello"] };
    }

    async function exec(command: string, ...options: string[]) {
      const request = { login: LOGIN, command, options };
      const { program, parameters, environment } = await fixture.clients.commandLine(client, fixture.server, request);
      const result = await run(program, parameters, { environment: { ...environment, SSH_AUTH_SOCK: path } });
      return { code: result.code, output: result.stdout.toString(), errors: result.stderr };
    }

    it("lets the server sign with each key", async () => {
      const fingerprints = await Promise.all(KEY_TYPES.map((type) => keys.fingerprint(type)));
      expect(await exec("keys", "-A")).toMatchObject({ code: 0, output: fingerprints.join("\n") });
    });

    it("lets programs on the server use the agent: ssh-add -l", async () => {
      const { code, output } = await exec("ssh-add", "-A");
      expect(code).toBe(0);
      for (const type of KEY_TYPES) expect(output).toContain(await keys.fingerprint(type));
      await vi.waitFor(() => expect(existsSync(server.lastSocket)).toBe(false));
    });

    it("lets ssh on the server log in to the next one by a key of the agent", async () => {
      expect(await exec("hop", "-A")).toMatchObject({ code: 0, output: "Executed: hello\n" });
    });

    it("is what it takes", async () => {
      expect(await exec("keys", "-a")).toMatchObject({ code: 3, output: "no agent" });
    });
  });
}
