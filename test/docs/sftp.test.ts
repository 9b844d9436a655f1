import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { type Channel, type Server, type SFTPServer, SSHServer, type SSHServerOptions } from "../../src/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { run } from "../examples/real-client.js";
import { describePage, OPEN } from "./page-fixture.js";

type ServerClass = new (options: SSHServerOptions) => SSHServer;

describePage("docs/sftp.md", (page) => {
  it("serves a home to each user", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/homes/ann/notes.txt");
    const { server } = await page.load<{ server: Server }>('homes({ root: "/srv/homes", atomic');
    expect((await page.sftp(server.port, "ann", ["ls"])).stdout).toContain("notes.txt");
  });

  it("serves a folder by a hook", async () => {
    page.write("srv/files/readme.txt");
    const { FileServer } = await page.load<{ FileServer: ServerClass }>("class FileServer");
    const port = await page.serve(new FileServer(OPEN));
    expect((await page.sftp(port, "ann", ["ls", "cd ..", "ls /"])).stdout.match(/readme\.txt/g)).toHaveLength(2);
  });

  it("serves homes by a hook", async () => {
    page.write("srv/homes/ben/bens.txt");
    const { HomeServer } = await page.load<{ HomeServer: ServerClass }>("class HomeServer");
    const port = await page.serve(new HomeServer(OPEN));
    expect((await page.sftp(port, "ben", ["ls"])).stdout).toContain("bens.txt");
    expect((await page.sftp(port, "cid", ["ls"])).code).not.toBe(0);
  });

  it("serves both protocols of scp", async () => {
    page.write("srv/files/readme.txt", "read me");
    const { CopyServer } = await page.load<{ CopyServer: ServerClass }>("class CopyServer");
    const port = await page.serve(new CopyServer(OPEN));
    for (const protocol of ["-O", "-s"]) {
      const target = join(page.folder, `copied${protocol}`);
      const words = [protocol, ...page.client.options, "-P", `${port}`, "ann@127.0.0.1:readme.txt", target];
      expect(await run("scp", words)).toMatchObject({ code: 0 });
      expect(readFileSync(target, "utf8")).toBe("read me");
    }
  });

  it("answers commands that ask about files", async () => {
    page.write("srv/files/readme.txt", "read me");
    const { HashServer } = await page.load<{ HashServer: ServerClass }>("class HashServer");
    const port = await page.serve(new HashServer(OPEN));
    expect(await page.ssh(port, ["ann@127.0.0.1", "echo 'read me' | md5sum"])).toMatchObject({
      stdout: `${createHash("md5").update("read me\n").digest("hex")}  -\n`,
    });
    expect((await page.ssh(port, ["ann@127.0.0.1", "md5sum readme.txt"])).stdout).toMatch(/^\w{32} {2}readme\.txt\n$/);
    expect((await page.ssh(port, ["ann@127.0.0.1", "id"])).code).not.toBe(0);
  });

  it("hears of uploads", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/homes/ann/notes.txt", "12345");
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const { server } = await page.load<{ server: Server }>("onUpload:");
    await page.sftp(server.port, "ann", ["get notes.txt fetched.txt", "put fetched.txt"]);
    expect(printed.mock.calls).toEqual([["ann has put /fetched.txt, 5 bytes"]]);
  });

  it("decides by operation", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/projects/ann/old.txt");
    page.write("srv/projects/ben/bens.txt");
    const upload = page.write("upload");
    const { server } = await page.load<{ server: Server }>("Everybody reads all");
    const got = join(page.folder, "bens");
    const forbidden = [`put ${upload} /ben/new.txt`, "rm /ben/bens.txt", "rename /ann/old.txt /ben/old.txt"];
    const allowed = [`put ${upload} /ann/new.txt`, "rename /ann/new.txt /ann/old.txt", `get /ben/bens.txt ${got}`];
    await page.sftp(server.port, "ann", [...forbidden, ...allowed]);
    const files = (user: string) => readdirSync(join(page.folder, "srv/projects", user));
    expect(files("ann")).toEqual(["old.txt"]);
    expect(files("ben")).toEqual(["bens.txt"]);
    expect(existsSync(got)).toBe(true);
  });

  it("is a drop box", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\nclerk:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/box/incoming/theirs.txt", "theirs");
    page.write("srv/box/.htaccess");
    page.write("srv/box/readme.txt");
    const upload = page.write("upload", "mine");
    const { server } = await page.load<{ server: Server }>("so that clients can go there");
    const got = join(page.folder, "from-box");
    const forbidden = [
      `put ${upload} theirs.txt`,
      `get theirs.txt ${got}`,
      "rm theirs.txt",
      "rename theirs.txt mine.txt",
      "ln theirs.txt mine.txt",
      "chmod 777 theirs.txt",
      "ls",
      `put ${upload} /other.txt`,
      `get /.htaccess ${got}`,
    ];
    const lines = ["cd /incoming", `put ${upload} new.txt`, ...forbidden, `get /readme.txt ${got}-readme`, "ls -a1 /"];
    const { stdout } = await page.sftp(server.port, "ann", lines);
    const incoming = join(page.folder, "srv/box/incoming");
    expect(readdirSync(incoming).sort()).toEqual(["new.txt", "theirs.txt"]);
    expect(readFileSync(join(incoming, "theirs.txt"), "utf8")).toBe("theirs");
    expect(statSync(join(incoming, "theirs.txt")).mode & 0o777).toBe(0o600);
    expect(existsSync(join(page.folder, "srv/box/other.txt"))).toBe(false);
    expect(existsSync(got)).toBe(false);
    expect(existsSync(`${got}-readme`)).toBe(true);
    expect(stdout).not.toMatch(/htaccess$|^theirs/m);
    await page.sftp(server.port, "clerk", [`get /incoming/theirs.txt ${got}`, "rm /incoming/theirs.txt"]);
    expect(readFileSync(got, "utf8")).toBe("theirs");
    expect(readdirSync(incoming)).toEqual(["new.txt"]);
  });

  it("decides by path", async () => {
    page.write("srv/archive/inbox/there.txt");
    page.write("srv/archive/private/secret.txt");
    page.write("srv/archive/readme.txt");
    const upload = page.write("upload");
    const { Archive } = await page.load<{ Archive: typeof SFTPServer }>("class Archive");
    class ArchiveServer extends SSHServer {
      override checkChannelSubsystemRequest(channel: Channel): true {
        new Archive(channel, { rootPath: join(page.folder, "srv/archive") });
        return true;
      }
    }
    const port = await page.serve(new ArchiveServer(OPEN));
    const got = join(page.folder, "got");
    const lines = [`put ${upload} /inbox/new.txt`, `put ${upload} /other.txt`, "ls /private", `get /readme.txt ${got}`];
    const { stdout } = await page.sftp(port, "ann", [...lines, `get /private/secret.txt ${got}2`]);
    const archive = join(page.folder, "srv/archive");
    expect(statSync(join(archive, "inbox/new.txt")).mode & 0o777).toBe(0o640);
    expect(existsSync(join(archive, "other.txt"))).toBe(false);
    expect(stdout).not.toContain("secret.txt\n");
    expect(existsSync(got)).toBe(true);
    expect(existsSync(`${got}2`)).toBe(false);
  });
});

describePage("docs/file-systems.md", (page) => {
  it("mounts, bounds and audits", async () => {
    page.write("srv/handbook/one.txt");
    page.write("srv/uploads/two.txt");
    const { Shares } = await page.load<{ Shares: ServerClass }>("class Shares");
    const port = await page.serve(new Shares(OPEN));
    const upload = page.write("upload");
    const lines = [`put ${upload} /uploads/new.txt`, `put ${upload} /handbook/new.txt`, "ls /", "ls /handbook"];
    const { stdout } = await page.sftp(port, "ann", lines);
    expect(stdout).toMatch(/handbook\s+\/?uploads/);
    expect(existsSync(join(page.folder, "srv/uploads/new.txt"))).toBe(true);
    expect(existsSync(join(page.folder, "srv/handbook/new.txt"))).toBe(false);
    expect(page.log).toMatch(/"user":"ann".*"\/uploads\/new\.txt"/);
  });

  it("tells how much is stored", async () => {
    page.write("srv/incoming/file", "0123456789");
    await page.load("warnAt: 0.9");
    expect(page.log).toContain(`10 bytes are used, ${100 * 1024 ** 3 - 10} are left`);
  });

  it("has homes", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/customers/ann/notes.txt", "12345");
    page.write("srv/prices/list.txt", "cheap");
    page.write("srv/exchange/there.txt");
    const { server } = await page.load<{ server: Server }>('customers.usage("ann")');
    const upload = page.write("upload.txt", "whole");
    const lines = [`put ${upload} /exchange/new.txt`, `put ${upload} /prices/new.txt`, "ls -1 /"];
    const { stdout } = await page.sftp(server.port, "ann", lines);
    expect(stdout).toMatch(/\/exchange\n\/notes\.txt\n\/prices\n/);
    expect(readFileSync(join(page.folder, "srv/exchange/new.txt"), "utf8")).toBe("whole");
    expect(existsSync(join(page.folder, "srv/prices/new.txt"))).toBe(false);
    expect(page.log).toContain(`{"used":5,"limit":${10 * 1024 ** 3},"left":${10 * 1024 ** 3 - 5}}`);
  });

  it("records what is done in homes", async () => {
    page.write("users", `ann:${KNOWN_HASHES.scrypt.hash}\n`);
    page.write("srv/customers/ann/notes.txt", "12345");
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const { server } = await page.load<{ server: Server }>("const files = await customers");
    await page.sftp(server.port, "ann", [`put ${page.write("upload.txt", "whole")} new.txt`]);
    const closed = { operation: "close", user: "ann", path: "/new.txt", bytesWritten: 5, result: "OK" };
    expect(printed.mock.calls.flat()).toContainEqual(
      expect.objectContaining({ ...closed, connection: expect.anything() }),
    );
  });

  it("has whole uploads", async () => {
    page.write("keys/ann", page.publicLine);
    page.write("srv/incoming/old.txt", "old");
    const { server } = await page.load<{ server: Server }>("sftp: ({ user }) => atomicUploads");
    const upload = page.write("upload.txt", "whole");
    const { stdout } = await page.sftp(server.port, "ann", [`put ${upload} old.txt`, "ls -1"]);
    expect(stdout).toMatch(/\nold\.txt\n$|^old\.txt$/m);
    expect(readFileSync(join(page.folder, "srv/incoming/old.txt"), "utf8")).toBe("whole");
  });

  it("serves what is not a folder", async () => {
    page.write("keys/ann");
    const { server } = await page.load<{ server: Server }>("class Reports");
    const got = join(page.folder, "june");
    const lines = ["ls", `get june.txt ${got}`, `put ${page.write("upload")} june.txt`];
    const { stdout, stderr } = await page.sftp(server.port, "ann", lines);
    expect(stdout).toContain("june.txt");
    expect(readFileSync(got, "utf8")).toBe("All is well.\n");
    expect(stderr).toMatch(/dest open .*june\.txt"?: (Permission denied|Failure)/);
  });
});
