import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { testBytes } from "../support/server.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("virtual-files.ts");
const MTIME = "Thu, 26 Nov 2026 10:00:00 GMT";
const CONTENT = testBytes(300_000);

/** Answers as nginx does with `autoindex on; autoindex_format json`. */
function webServer(): Server {
  const listings = new Map([
    ["/", [{ name: "reports", type: "directory", mtime: MTIME }]],
    ["/reports/", [{ name: "a b.bin", type: "file", mtime: MTIME, size: CONTENT.length }]],
  ]);
  return createServer((request, response) => {
    const listing = listings.get(request.url ?? "");
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (listing !== undefined) response.end(JSON.stringify(listing));
    else if (request.url === "/reports/a%20b.bin" && first !== undefined)
      response.writeHead(206).end(CONTENT.subarray(Number(first), Number(last) + 1));
    else response.writeHead(404).end();
  });
}

describe("virtual-files.ts", needs("ssh"), () => {
  const web = webServer();
  beforeAll(async () => {
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
  });
  afterAll(() => web.close());

  it("shows what a web server has, and takes nothing", needs("sftp"), async () => {
    const port = await example.start({ FILES_URL: `http://127.0.0.1:${(web.address() as AddressInfo).port}` });
    const back = join(example.folder, "back");
    const { stdout, stderr } = await example.sftp(port, [
      "ls -1 /",
      "ls -l /reports",
      `get "/reports/a b.bin" ${back}`,
      "get /reports/none",
      `put ${back} /reports/new`,
    ]);
    expect(stdout).toContain("/reports\n");
    expect(stdout).toMatch(/-r--r--r--.* 300000 Nov 26 .*a b\.bin/);
    const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
    expect(sha256(readFileSync(back))).toBe(sha256(CONTENT));
    expect(stderr).toContain('"/reports/none" not found');
    expect(stderr).toMatch(/dest open "\/reports\/new": (Failure|Permission denied)/);
  });
});
