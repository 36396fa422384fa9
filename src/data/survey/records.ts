/**
 * What a column has where its values are no names: `spans` ([{ start, end, label }]), `tags` (a BIO tag for each word), `flags` (a 0 or
 * 1 for each class, by its name), or other `records`.
 */
export type RecordsKind = 'spans' | 'tags' | 'flags' | 'records';

/** Fewer rows with records are mistakes in a column of something else. */
const SHARE = 0.1;
const TAG = /^(O|[BI]-.+)$/;

/** What the records are that a column's values hold, also where they are JSON in texts; undefined for other values. */
export function recordsKind(values: readonly unknown[]): RecordsKind | undefined {
  const parsed = values.map((value) => (typeof value === 'string' ? jsonOf(value) : value));
  if (parsed.length === 0) return undefined;
  if (parsed.filter(isRecords).length < SHARE * parsed.length) return areTags(parsed) ? 'tags' : undefined;
  if (parsed.every((value) => Array.isArray(value) && value.every(isSpan))) return 'spans';
  if (parsed.every((value) => isRecord(value) && Object.values(value).every(isFlag))) return 'flags';
  return 'records';
}

/** Whether a value is a record or a list with one in it. */
export function isRecords(value: unknown): boolean {
  return Array.isArray(value) ? value.some(isRecord) : isRecord(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isSpan(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { start, end, label, entity, type } = value;
  return Number.isInteger(start) && Number.isInteger(end) && typeof (label ?? entity ?? type) === 'string';
}

function isFlag(value: unknown): boolean {
  return value === null || [0, 1, false, true].includes(value as number);
}

function areTags(values: readonly unknown[]): boolean {
  const lists = values.every(
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((tag) => typeof tag === 'string' && TAG.test(tag)),
  );
  return lists && values.some((value) => (value as string[]).some((tag) => tag !== 'O'));
}

function jsonOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
