import type { ByteBudget } from "../byte-budget.js";
import { FileError } from "../errors.js";
import type { AttributeChanges, FileAttributes } from "../file-system.js";
import { encodeName } from "../path.js";
import { FileContent } from "./file-content.js";

interface Metadata {
  /** No other node of this process has it. */
  readonly number: number;
  permissions: number;
  /** Seconds since 1970. */
  accessTime: number;
  modifyTime: number;
  uid: number;
  gid: number;
  /** Names that lead here; for a directory also its `.` and the `..` of those in it. */
  links: number;
}

export interface FileNode extends Metadata {
  readonly type: "file";
  readonly content: FileContent;
  /** The number of handles that are open on it; its content stays until it has neither names nor handles. */
  handles: number;
}

export interface DirectoryNode extends Metadata {
  readonly type: "directory";
  readonly entries: Map<string, MemoryNode>;
}

export interface LinkNode extends Metadata {
  readonly type: "symlink";
  readonly target: string;
}

export type MemoryNode = FileNode | DirectoryNode | LinkNode;

let nodes = 0;

export function newFile(permissions: number): FileNode {
  return { type: "file", ...newMetadata(permissions, 0), content: new FileContent(), handles: 0 };
}

export function newDirectory(permissions: number): DirectoryNode {
  return { type: "directory", ...newMetadata(permissions, 1), entries: new Map() };
}

export function newLink(target: string): LinkNode {
  return { type: "symlink", ...newMetadata(0o777, 0), target };
}

/** Seconds since 1970. */
export function now(): number {
  return Date.now() / 1000;
}

/** Bytes that a node holds; a directory holds names, which are counted each by itself. */
export function contentSize(node: MemoryNode): number {
  if (node.type === "file") return node.content.size;
  return node.type === "symlink" ? encodeName(node.target).length : 0;
}

export function attributesOf(node: MemoryNode): FileAttributes {
  const { type, permissions, accessTime, modifyTime, uid, gid, links } = node;
  return { type, size: contentSize(node), permissions, accessTime, modifyTime, uid, gid, links };
}

/** Makes all of the changes or, where it throws, none. */
export function changeAttributes(node: MemoryNode, changes: AttributeChanges, budget: ByteBudget): void {
  const { size, owner, permissions, times } = changes;
  if (permissions !== undefined && node.type === "symlink") throw new FileError("ENOTSUP");
  if (size !== undefined) resize(node, size, budget);
  if (permissions !== undefined) node.permissions = permissions & 0o7777;
  if (owner !== undefined) {
    node.uid = owner.uid;
    node.gid = owner.gid;
  }
  if (times !== undefined) {
    node.accessTime = times.accessTime;
    node.modifyTime = times.modifyTime;
  }
}

function resize(node: MemoryNode, size: number, budget: ByteBudget): void {
  if (node.type === "directory") throw new FileError("EISDIR");
  if (node.type !== "file" || !Number.isSafeInteger(size) || size < 0) throw new FileError("EINVAL");
  budget.reserve(size - node.content.size);
  node.content.resize(size);
  node.modifyTime = now();
}

function newMetadata(permissions: number, links: number): Metadata {
  const time = now();
  return { number: ++nodes, permissions, accessTime: time, modifyTime: time, uid: 0, gid: 0, links };
}
