import { describe, expect, it } from "vitest";
import { FileError } from "../../src/files/errors.js";
import type { TransferEvent } from "../../src/sftp/index.js";
import { ToldOutcomes } from "../support/told-outcomes.js";
import { SCPTestPeer } from "./scp-peer.js";

async function start(commandLine: string) {
  const files = new ToldOutcomes();
  files.writeFile("/old", "0123456789");
  files.writeFile("/empty", "");
  files.told.length = 0;
  const events: (TransferEvent & { kind: string })[] = [];
  const peer = new SCPTestPeer(commandLine, {
    fileSystem: files,
    onUpload: (event) => void events.push({ ...event, kind: "upload" }),
    onDownload: (event) => void events.push({ ...event, kind: "download" }),
  });
  return { peer, files, events };
}

async function receiving() {
  const session = await start("scp -t /");
  await session.peer.answer();
  return session;
}

async function sending(path: string) {
  const session = await start(`scp -f ${path}`);
  session.peer.send("\0");
  await session.peer.line();
  session.peer.send("\0");
  return session;
}

describe("a file that comes by scp -t", () => {
  it("is completed when all of it has come", async () => {
    const { peer, files, events } = await receiving();
    await peer.ask("C0644 4 new\n");
    expect(files.told).toEqual([]);
    await peer.ask("four\0");
    expect(files.told).toEqual([{ path: "/new", by: "close", outcome: { result: "completed" } }]);
    expect(events).toMatchObject([{ kind: "upload", path: "/new", bytes: 4, outcome: { result: "completed" } }]);
    await peer.ask("C0644 0 nothing\n");
    await peer.ask("\0");
    expect(events).toMatchObject([
      {},
      { kind: "upload", path: "/nothing", bytes: 0, outcome: { result: "completed" } },
    ]);
  });

  it.each<[string, (peer: SCPTestPeer) => unknown]>([
    ["the client is gone", (peer) => peer.stream.destroy()],
    ["the client ends its data", (peer) => peer.stream.end()],
  ])("is aborted when %s in the middle", async (_, leave) => {
    const { peer, files, events } = await receiving();
    await peer.ask("C0644 10 new\n");
    peer.send("four");
    leave(peer);
    await peer.server.closed;
    const outcome = { result: "aborted", reason: "client gone" };
    expect(files.told).toMatchObject([{ path: "/new", by: "abort", outcome }]);
    expect(events).toMatchObject([{ kind: "upload", outcome }]);
  });

  it("is aborted when the client is gone before it says that this was all", async () => {
    const { peer, files } = await receiving();
    await peer.ask("C0644 4 new\n");
    peer.send("four");
    await peer.end();
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "client gone" } }]);
  });

  it("is aborted when the client says that it could not read its own file", async () => {
    const { peer, files } = await receiving();
    await peer.ask("C0644 4 new\n");
    peer.send("\0\0\0\0\x01scp: new: Input/output error\n");
    await peer.end();
    expect(files.told).toMatchObject([{ by: "abort", outcome: { reason: "error" } }]);
  });

  it("is aborted when it cannot be written, and whole when only its attributes cannot be set", async () => {
    const { peer, files } = await start("scp -t -p /");
    await peer.answer();
    files.methods = { write: () => Promise.reject(new FileError("ENOSPC")) };
    await peer.ask("C0644 4 new\n");
    expect(await peer.ask("four\0")).toContain("No space left");
    files.methods = { setstat: () => Promise.reject(new FileError("EPERM")) };
    await peer.ask("C0644 4 newer\n");
    expect(await peer.ask("four\0")).toContain("not permitted");
    expect(files.told).toMatchObject([
      { by: "abort", outcome: { reason: "error", error: { code: "ENOSPC" } } },
      { by: "close", outcome: { result: "completed" } },
    ]);
  });
});

describe("a file that goes by scp -f", () => {
  it.each([
    ["/old", 10],
    ["/empty", 0],
  ])("is completed when the client has taken all of %s", async (path, bytes) => {
    const { peer, files, events } = await sending(path);
    await peer.read(bytes + 1);
    peer.send("\0");
    expect(await peer.end()).toBe(0);
    expect(files.told).toEqual([{ path, by: "close", outcome: { result: "completed" } }]);
    expect(events).toMatchObject([{ kind: "download", path, bytes, outcome: { result: "completed" } }]);
  });

  it("is aborted when the client could not write it, or is gone", async () => {
    const refused = await sending("/old");
    refused.peer.send("\x01no room\n");
    await refused.peer.end();
    expect(refused.files.told).toMatchObject([{ by: "abort", outcome: { reason: "error" } }]);
    const gone = await sending("/old");
    await gone.peer.read(1);
    gone.peer.stream.destroy();
    await gone.peer.server.closed;
    expect(gone.files.told).toMatchObject([{ by: "abort", outcome: { reason: "client gone" } }]);
    expect(gone.events).toMatchObject([{ kind: "download", outcome: { result: "aborted" } }]);
  });
});
