import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { needs, TRIED_SSHS } from "../support/clients.js";
import { serverFixture } from "../support/server-fixture.js";
import { ExternalProcess } from "../support/tools.js";

const LOGIN = { user: "admin", password: "secret" };

for (const client of TRIED_SSHS) {
  describe(`a reload while ${client} is connected`, needs(client), () => {
    const fixture = serverFixture();

    it("leaves its session and its host key as they are, also where new keys are made", async () => {
      const { clients, server } = fixture;
      const { program, parameters, environment } = await clients.openssh(client, server, LOGIN);
      const rekeying = ["-o", "RekeyLimit=64K", ...parameters];
      using process = new ExternalProcess(program, [...rekeying, "127.0.0.1", "echo-stdin"], { environment });
      process.stdin.write("before\n");
      await process.untilOutput("before");
      const serverKey = PKey.generate({ keyType: "ed25519" });
      await server.manager.reload({ serverInterface: server.server, serverKey, logger: false });
      const before = server.keyExchanges;
      const input = randomBytes(200 * 1024).toString("base64");
      process.stdin.end(`${input}\nafter\n`);
      const { code, stdout } = await process.finished;
      expect(stdout.toString() === `before\n${input}\nafter\n`).toBe(true);
      expect(code).toBe(0);
      expect(server.keyExchanges).toBeGreaterThan(before);
      // The new key is another one than the client knows.
      const { stderr, code: refused } = await fixture.exec(client, { login: LOGIN, command: "hello" });
      expect(stderr).toContain("REMOTE HOST IDENTIFICATION HAS CHANGED");
      expect(refused).toBe(255);
    });
  });
}
