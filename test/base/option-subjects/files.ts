import { duplexPair } from "node:stream";
import { homes, ProbeServer, SCPServer } from "../../../src/index.js";
import {
  atomicUploads,
  audit,
  MemoryFileSystem,
  quota,
  rules,
  SFTPServer,
  sweepUploads,
} from "../../../src/sftp/index.js";
import { logger, notFlag, notFunction, nothing, notLogger, notNumber, notText, type OptionSubject } from "./values.js";

export const FILES = MemoryFileSystem.from({ "/file": "hello" });

export const NOT_FILE_SYSTEMS = ["/srv", 5, true, [], nothing, {}, new Map(), Promise.resolve(FILES), { open: true }];

const access = {
  checkFileAccess: () => true,
  checkDirectoryAccess: () => true,
  getFilePermissions: nothing,
  getDirectoryPermissions: nothing,
};

const { checkFileAccess } = access;

const notPolicy = ["rw", 5, {}, [], { checkFileAccess }, { ...access, getFilePermissions: 0o600 }];

const fileServer = {
  valid: { fileSystem: FILES, startDirectory: "/", access, logger, onUpload: nothing, onDownload: nothing },
  wrong: {
    rootPath: [...notText, "", "a\0b"],
    fileSystem: NOT_FILE_SYSTEMS,
    startDirectory: [...notText, "a\0b"],
    access: notPolicy,
    logger: notLogger,
  },
  required: ["fileSystem"],
  instead: { rootPath: "fileSystem" },
};

export const FILE_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "SFTPServer",
    call: (options) => new SFTPServer(duplexPair()[0], options),
    ...fileServer,
    valid: { ...fileServer.valid, maxOpenHandles: 1, deniedRequests: ["write"] },
    wrong: {
      ...fileServer.wrong,
      maxOpenHandles: [...notNumber, 0, 1.5],
      deniedRequests: ["write", 5, {}, nothing, [5], ["delete"]],
    },
    notUndefined: ["access", "deniedRequests"],
  },
  {
    name: "SCPServer",
    call: (options) =>
      new SCPServer(
        duplexPair()[0],
        { role: "source", path: "/file", recursive: false, preserveTimes: false, targetIsDirectory: false } as never,
        options,
      ),
    ...fileServer,
    notUndefined: ["access"],
  },
  {
    name: "homes",
    call: (options) => homes(options),
    valid: {
      root: "/srv",
      create: true,
      quota: 5,
      shared: {},
      atomicUploads: true,
      access,
      startDirectory: "/",
      onUpload: nothing,
      onDownload: nothing,
    },
    wrong: {
      root: [...notText, "", "a\0b"],
      create: notFlag,
      quota: ["10G", true, [], -1, 1.5],
      shared: ["/docs", 5, true, []],
      atomicUploads: notFlag,
      access: notPolicy,
      startDirectory: [...notText, "a\0b"],
    },
    required: ["root"],
    notUndefined: ["access", "quota"],
  },
  {
    name: "ProbeServer",
    call: (options) => new ProbeServer(duplexPair()[0], { program: "pwd" }, options),
    ...fileServer,
    notUndefined: ["access"],
  },
  {
    name: "MemoryFileSystem",
    call: (options) => new MemoryFileSystem(options),
    optional: true,
    valid: { quota: 1000 },
    wrong: { quota: [...notNumber, 1.5] },
  },
  {
    name: "MemoryFileSystem.from",
    call: (options) => MemoryFileSystem.from({}, options),
    optional: true,
    valid: { quota: 1000 },
    wrong: { quota: [...notNumber, 1.5] },
  },
  {
    name: "rules",
    call: (options) => rules([{ path: "/**", allow: "all" }], options),
    optional: true,
    valid: { groups: () => ["staff"] },
    wrong: { groups: notFunction },
  },
  {
    name: "audit",
    call: (options) => audit(FILES, options),
    valid: { record: nothing, user: "ann" },
    wrong: { record: notFunction, user: notText },
    required: ["record"],
  },
  {
    name: "atomicUploads",
    call: (options) => atomicUploads(FILES, options),
    optional: true,
    valid: { user: "ann", keepSeconds: 60, fsync: true },
    wrong: { user: notText, keepSeconds: [...notNumber, 0], fsync: notFlag },
  },
  {
    name: "sweepUploads",
    call: (options) => sweepUploads(FILES, options),
    optional: true,
    valid: { keepSeconds: 60, signal: new AbortController().signal },
    wrong: { keepSeconds: notNumber, signal: [5, {}, nothing] },
  },
  {
    name: "quota",
    call: (options) => quota(FILES, options),
    valid: { bytes: 1000, used: 5, warnAt: 0.9, onWarning: nothing },
    wrong: {
      bytes: [...notNumber, 1.5],
      used: [...notNumber, 1.5],
      warnAt: [...notNumber, 1.5],
      onWarning: notFunction,
    },
    required: ["bytes"],
  },
];
