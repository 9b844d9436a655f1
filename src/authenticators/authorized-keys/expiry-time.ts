const PATTERN = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(z|utc)?$/i;

/**
 * Reads the time of `expiry-time` (sshd(8)): YYYYMMDD or YYYYMMDDHHMM[SS], of the machine's time zone, or of UTC where
 * a Z follows. As in sshd, the 31st of a shorter month is a day of the next one.
 *
 * @returns seconds since 1970
 * @throws {Error} when it is not such a time, or lies before 1970
 */
export function parseExpiryTime(text: string): number {
  const [whole, ...fields] = PATTERN.exec(text) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields
    .slice(0, 6)
    .map((field) => Number(field ?? 0));
  const inRange = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 61;
  if (whole === undefined || year < 1970 || !inRange) throw new Error("the expiry time is invalid");
  const time =
    fields[6] === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second);
  if (!(time > 0)) throw new Error("the expiry time is invalid");
  return time / 1000;
}
