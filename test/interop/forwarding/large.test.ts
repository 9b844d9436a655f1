import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { extent, isLong } from "../../support/extent.js";
import { sha256, testBytes } from "../../support/server.js";
import { serverFixture } from "../../support/server-fixture.js";
import { temporaryFolder } from "../../support/tools.js";
import { echoed, echoTarget } from "./echo.js";
import { ForwardingServer } from "./forwarding-server.js";
import { SSH_NAMES, SshForwards } from "./ssh-forwards.js";

const MIB = 1024 * 1024;
const SIZE = extent(2, 64) * MIB;

/** The side that asks for new keys each MiB. */
const REKEYING = [
  ["nobody", {}, []],
  ["the server", { rekeyLimit: { bytes: MIB } }, []],
  ["the client", {}, ["-o", "RekeyLimit=1M"]],
] as const;

describe.each(SSH_NAMES)("%s forwards much data both ways", (client) => {
  const rekeying = REKEYING.filter(([who]) => isLong || who !== "nobody");

  describe.each(rekeying)("while %s asks for new keys", needs(client), (_, options, parameters) => {
    const folder = temporaryFolder();
    const fixture = serverFixture({ server: new ForwardingServer({ socketRoots: [folder] }), ...options });
    const echo = echoTarget();

    it("intact, by -L and -R at once", async () => {
      const paths = [join(folder, "local"), join(folder, "remote")] as const;
      const forwards = ["-L", `${paths[0]}:${echo.address}`, "-R", `${paths[1]}:${echo.address}`, ...parameters];
      using ssh = await SshForwards.start(fixture, client, folder, forwards);
      const before = fixture.server.keyExchanges;
      const data = testBytes(SIZE);
      const echoes = await Promise.all(paths.map((path) => echoed({ path }, data)));
      expect(echoes.map(sha256)).toEqual(paths.map(() => sha256(data)));
      // Data that is under way while keys are exchanged counts towards the next exchange.
      const least = parameters.length > 0 || "rekeyLimit" in options ? SIZE / MIB / 2 : 0;
      expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(least);
      await ssh.end();
    });
  });
});
