import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LIBRARY_CLIENTS, type LibraryClientName, needs } from "../../support/clients.js";
import type { LibraryLogin } from "../../support/clients-libraries.js";
import { isLong } from "../../support/extent.js";
import { type LibraryFixture, libraryFixture } from "../../support/library-fixture.js";
import { testBytes } from "../../support/server.js";

const content = testBytes(1024 * 1024);
const REKEY_BYTES = 128 * 1024;
/** Of 1 MiB both ways: while one exchange runs, data that was under way counts towards the next. */
const LEAST_KEY_EXCHANGES = 3;

/** The others have no setting for it, or look at it once a minute (Erlang). */
const REKEYS_ITSELF: readonly LibraryClientName[] = ["libssh", "go", "net-ssh"];

async function expectIntact(fixture: LibraryFixture, client: LibraryClientName, login?: LibraryLogin): Promise<void> {
  const before = fixture.server.keyExchanges;
  const [source, got] = [join(fixture.local, "source"), join(fixture.local, "got")];
  await writeFile(source, content);
  const results = await fixture.operate(
    client,
    [
      ["put", source, "file"],
      ["get", "file", got],
    ],
    login,
  );
  expect(results).toEqual([{ value: null }, { value: null }]);
  for (const file of [join(fixture.root, "file"), got]) expect(content.equals(await readFile(file)), file).toBe(true);
  expect(fixture.server.keyExchanges - before).toBeGreaterThanOrEqual(LEAST_KEY_EXCHANGES);
}

describe("new keys every 128 KiB, while files are carried", () => {
  describe("at the server's wish", () => {
    const fixture = libraryFixture({ rekeyLimit: { bytes: REKEY_BYTES, seconds: 3600 } });
    // In the gate the others meet them in commands-and-files.test.ts.
    for (const client of isLong ? LIBRARY_CLIENTS : LIBRARY_CLIENTS.slice(0, 1))
      it(client, needs(client), () => expectIntact(fixture, client));
  });

  describe("at the client's wish", () => {
    const fixture = libraryFixture();
    for (const client of REKEYS_ITSELF)
      it(client, needs(client), () => expectIntact(fixture, client, { rekeyBytes: REKEY_BYTES }));
  });
});
