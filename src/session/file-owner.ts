/** The owner of files for the programs of a session, where these run as another user than this process. */
export interface FileOwner {
  /** Number of the user that the files shall belong to; needs the rights of root. Default: the user of this process. */
  readonly uid?: number;
  /** Number of the group, likewise. */
  readonly gid?: number;
}
