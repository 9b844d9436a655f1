import { ConfigurationError } from "../base/configuration-error.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { checkFunction, checkOptions, kindOf } from "../base/option-checks.js";
import { checkTransferListeners, type ServedFiles } from "../files/file-server-options.js";
import type { FileSystem } from "../files/file-system.js";
import type { TransferListeners } from "../files/transfer-events.js";
import { checkFileSystem, hasMethods } from "../files/wrappers/methods.js";
import type { Connection } from "../session/connection.js";
import type { SessionChannel } from "../session/session-channel.js";
import type { Middleware, SessionHandler } from "../session/session-handler.js";

/** The user whose files are asked for. */
export interface FilesClient<Data = unknown> {
  readonly user: string;
  /** Whatever the login has given by `new Grant({ data })`. */
  readonly data: Data;
  readonly connection: Connection<Data>;
}

/** Files that are served: a folder of this machine by its path, or a file system. */
export type Files = string | FileSystem;

/** Files for all users, or a function that gives those of a user; `undefined` refuses. */
export type FilesOfUsers<Data = unknown> = Files | ((client: FilesClient<Data>) => MaybePromise<Files | undefined>);

/** Files, and what is to be done about them. */
export interface FilesDeclaration<Data = unknown> extends TransferListeners<Connection<Data>> {
  readonly files: FilesOfUsers<Data>;
}

export type FilesOption<Data = unknown> = FilesOfUsers<Data> | FilesDeclaration<Data>;

/** The programs that clients may run. Without a declaration, nothing runs. */
export interface SessionOptions<Data = unknown> {
  /** Serves commands, shells and subsystems other than `sftp`. Terminals are allowed, and the variables LANG, LC_* and COLORTERM. */
  readonly session?: SessionHandler<Data>;
  /** The files for `sftp` and for `scp`, in both of its protocols. */
  readonly sftp?: FilesOption<Data>;
  /** Layers around the handlers of all sessions, those of `sftp` and `scp` too; the first is outermost. */
  readonly middleware?: readonly Middleware<Data>[];
}

/** The declaration that stands in an option. @throws {ConfigurationError} naming the option that cannot be used */
export function filesDeclaration(option: FilesOption): FilesDeclaration {
  const isAlone = typeof option !== "object" || option === null || !("files" in option) || hasMethods(option);
  const declaration = isAlone ? { files: option as FilesOfUsers } : checkOptions(option, DECLARED, "sftp");
  const { files } = declaration;
  if (typeof files !== "function") servedFiles(files, isAlone ? "sftp" : "sftp.files");
  return { files, ...checkTransferListeners(declaration, "sftp.") };
}

const DECLARED = ["files", "onUpload", "onDownload"] as const;

/** @throws {ConfigurationError} naming the option that cannot be used */
export function checkSessionOptions({ session, sftp, middleware = [] }: SessionOptions): SessionOptions {
  if (session !== undefined) checkFunction("session", session);
  if (sftp !== undefined) filesDeclaration(sftp);
  if (!Array.isArray(middleware))
    throw new ConfigurationError("middleware", `must be a list, not ${kindOf(middleware)}`);
  for (const layer of middleware) checkFunction("middleware", layer);
  return { ...(session && { session }), ...(sftp !== undefined && { sftp }), middleware: [...middleware] };
}

/**
 * The files that an option gives to a user.
 *
 * @throws {ConfigurationError} when it gives something else
 */
export async function filesOf(option: FilesOfUsers, channel: SessionChannel): Promise<ServedFiles | undefined> {
  if (typeof option !== "function") return servedFiles(option);
  const { connection } = channel;
  const { username: user = "", identity } = connection;
  const files = await option({ user, data: identity?.data, connection });
  return files === undefined ? undefined : servedFiles(files);
}

function servedFiles(files: Files, option = "sftp"): ServedFiles {
  if (typeof files !== "string") return { fileSystem: checkFileSystem(option, files) };
  if (files === "") throw new ConfigurationError(option, "must be a path or a file system, and not an empty text");
  return { rootPath: files };
}
