import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { needs, TOOLS, TRIED_SSHS } from "../support/clients.js";
import { serverFixture } from "../support/server-fixture.js";
import { TestServer } from "../support/server-start.js";
import { ExternalProcess, run, temporaryFolder } from "../support/tools.js";

const TERMINAL = fileURLToPath(new URL("./drivers/terminal.exp", import.meta.url));
const LOGIN = { user: "admin", password: "secret" };
/** Has ssh say "connected" once it is through with logging in. */
const REPORT_CONNECTED = ["-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo connected"];

for (const client of TRIED_SSHS) {
  describe(`sessions of ${client}`, needs(client), () => {
    const fixture = serverFixture();
    const folder = temporaryFolder();

    const exec = (command: string, options: readonly string[] = []) =>
      fixture.exec(client, { login: LOGIN, command, options });

    it("has a terminal that can be resized, interrupted and sent a break", needs("expect"), async () => {
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, LOGIN);
      const command = ["-f", TERMINAL, program, ...parameters, "-tt", "127.0.0.1"];
      const { code, stdout, stderr } = await run(TOOLS.expect, command, {
        environment: { ...environment, TERM: "xterm-256color" },
      });
      expect(code, `${stdout}${stderr}`).toBe(0);
    });

    it("has a shell without a terminal", async () => {
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, LOGIN);
      const input = Buffer.from("one\ntwo\nexit\n");
      const { code, stdout } = await run(program, [...parameters, "-T", "127.0.0.1"], { environment, input });
      expect(stdout.toString()).toBe('no terminal\nline "one"\r\nline "two"\r\n');
      expect(code).toBe(0);
    });

    it("sets the environment variables that the server accepts, and only those", async () => {
      const { code, stdout } = await exec("env", ["-o", "SetEnv=TEST_ONE=1 TEST_TWO=two OTHER=3"]);
      expect(stdout.toString()).toBe("TEST_ONE=1\nTEST_TWO=two\n");
      expect(code).toBe(0);
    });

    it("is refused an unknown subsystem", async () => {
      const { code, stderr } = await exec("nosuch", ["-s"]);
      expect(stderr).toContain("subsystem request failed");
      expect(code).toBe(255);
    });

    it("runs many sessions at once over one connection", async () => {
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, LOGIN);
      const socket = join(folder, "control");
      const master = [...parameters, ...REPORT_CONNECTED, "-M", "-S", socket, "-N", "127.0.0.1"];
      using process = new ExternalProcess(program, master, { environment });
      await process.untilOutput("connected");
      const before = fixture.server.keyExchanges;

      const numbers = Array.from({ length: 10 }, (_, index) => `${index}`);
      const outputs = numbers.map(async (number) => {
        const input = Buffer.alloc(200_000, number);
        const { code, stdout } = await run(program, ["-S", socket, "127.0.0.1", "echo-stdin"], { input });
        return { code, intact: stdout.equals(input) };
      });
      expect(await Promise.all(outputs)).toEqual(numbers.map(() => ({ code: 0, intact: true })));
      expect(fixture.server.keyExchanges).toBe(before);

      await run(program, ["-S", socket, "-O", "exit", "127.0.0.1"]);
      await process.finished;
    });

    it("learns why the server ends the connection", async () => {
      const server = await TestServer.start();
      const { program, parameters, environment } = await fixture.clients.openssh(client, server, LOGIN);
      const command = [...parameters, ...REPORT_CONNECTED, "-N", "127.0.0.1"];
      using process = new ExternalProcess(program, command, { environment });
      await process.untilOutput("connected");
      await server.manager.stopServer();
      const { code, stderr } = await process.finished;
      expect(stderr).toMatch(/Received disconnect from 127\.0\.0\.1 port \d+:11: ./);
      expect(code).toBe(255);
    });

    it("gets an answer to its keep-alive probe", async () => {
      const { program, parameters, environment } = await fixture.clients.openssh(client, fixture.server, LOGIN);
      // Nothing else that wants a reply is sent: no session, and no proof of the other host keys.
      const probes = ["-vvv", "-o", "ServerAliveInterval=1", "-o", "UpdateHostKeys=no"];
      const command = [...parameters, ...probes, "-N", "127.0.0.1"];
      using process = new ExternalProcess(program, command, { environment });
      await process.untilOutput("receive packet: type 81");
    });
  });
}
