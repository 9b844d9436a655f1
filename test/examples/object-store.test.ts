import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { testBytes } from "../support/server.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("object-store.ts");
const CONTENT = testBytes(300_000);

const objects = new Map<string, Buffer>();
const MTIME = "Thu, 26 Nov 2026 10:00:00 GMT";

/** As nginx with `autoindex_format json` and `dav_methods PUT DELETE`. */
function store(): Server {
  return createServer(async (request, response) => {
    const name = decodeURIComponent(request.url ?? "").slice(1);
    const object = objects.get(name);
    if (request.method === "PUT") {
      objects.set(name, await buffer(request));
      response.writeHead(201).end();
    } else if (name === "") {
      response.end(
        JSON.stringify([...objects].map(([key, { length }]) => ({ name: key, size: length, mtime: MTIME }))),
      );
    } else if (object === undefined) {
      response.writeHead(404).end();
    } else if (request.method === "DELETE") {
      objects.delete(name);
      response.writeHead(204).end();
    } else {
      response.writeHead(200, { "content-length": object.length, "last-modified": MTIME });
      response.end(request.method === "HEAD" ? undefined : object);
    }
  });
}

describe("object-store.ts", needs("ssh", "sftp", "scp"), () => {
  const http = store();
  let port = 0;
  let source = "";
  beforeAll(async () => {
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    source = join(example.folder, "source");
    writeFileSync(source, CONTENT);
  });
  afterAll(() => http.close());
  beforeEach(async () => {
    objects.clear();
    objects.set("there is", Buffer.from("an object"));
    port = await example.start({ STORE_URL: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
  });

  it("takes uploads of sftp and both protocols of scp, and shows what there is", async () => {
    const back = join(example.folder, "back");
    const commands = [`put -p ${source} new`, "ls -l", `get "there is" ${back}`, 'rm "there is"', "get none"];
    const { stdout, stderr } = await example.sftp(port, commands);
    expect(stdout).toMatch(/-rw-r--r--.* 300000 Nov 26 .*new\n.* 9 Nov 26 .*there is\n|there is\n.*new\n/);
    expect(readFileSync(back, "utf8")).toBe("an object");
    expect(stderr).toContain('"/none" not found');
    expect([...objects.keys()]).toEqual(["new"]);
    for (const protocol of ["-O", "-s"]) {
      // The second is over one that is larger.
      for (const content of [CONTENT, CONTENT.subarray(0, 1000)]) {
        writeFileSync(source, content);
        const words = [
          protocol,
          "-p",
          ...example.client.options,
          "-P",
          `${port}`,
          source,
          `ann@127.0.0.1:by${protocol}`,
        ];
        expect(await run("scp", words)).toMatchObject({ code: 0 });
        expect(objects.get(`by${protocol}`)?.equals(content)).toBe(true);
      }
    }
    writeFileSync(source, CONTENT);
  });

  it("keeps the old object where an upload breaks off", async () => {
    const upload = example.client.start(port, "", ["ann@127.0.0.1", "scp -t there\\ is"]);
    upload.write(`C0644 ${CONTENT.length} there is\na part`);
    await upload.output(/^\0\0/);
    await upload.kill();
    expect((await example.sftp(port, ["ls -1"])).stdout).toContain("there is\n");
    expect(objects).toEqual(new Map([["there is", Buffer.from("an object")]]));
  });

  it("serves clients that look at a file by its path while they write it", needs("rclone"), async () => {
    const { stdout: pass } = await run("rclone", ["obscure", "any"]);
    const remote = `:sftp,host=127.0.0.1,port=${port},user=ann,pass=${pass.trim()}:by-rclone`;
    const config = ["--config", join(example.folder, "rclone.conf")];
    expect(await run("rclone", [...config, "copyto", source, remote])).toMatchObject({ code: 0 });
    expect(objects.get("by-rclone")?.equals(CONTENT)).toBe(true);
  });
});
