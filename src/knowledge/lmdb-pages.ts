import { numbersIn } from '../platform/bytes.ts';

/**
 * What is looked at of an LMDB file before LMDB itself reads it through a memory map, where a page that is not there kills
 * the process and one that is damaged ends it by an assertion. The format is that of LMDB 1.0, as the lmdb package
 * holds it (its mdb.c: MDB_page_header, MDB_node, MDB_db).
 */

/** Positions in a page, in bytes. Those of nodes count from the end of the header. */
const PAGE = { number: 0, transaction: 8, flags: 18, lower: 20, upper: 22, overflowPages: 20, header: 24 };
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const NODE = { low: 0, high: 2, flags: 4, keySize: 6, header: 8 };
const BIG_DATA = 1;
/** The root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
/** The first two pages are the header's. */
const FIRST_PAGE = 2;
/** LMDB's own limit. */
const MAX_DEPTH = 32;

export interface PagedFile {
  readonly pageSize: number;
  /** The last transaction that was committed. */
  readonly transaction: bigint;
  /** Whole pages that the file has. */
  readonly pages: number;
  /** The bytes of a page; valid until the next call. */
  read(page: number): Uint8Array;
}

/**
 * Walks the trees from their roots, and tells the first page that is missing or not what it should be; undefined when all of
 * them are sound. What the records hold is not looked at: they have checksums of their own.
 */
export function pageProblem(file: PagedFile, roots: readonly bigint[]): string | undefined {
  const seen = new Set<number>();
  const waiting = roots
    .filter((root) => root !== NO_PAGE)
    .map((root) => ({ page: Number(root), depth: 1, overflow: false }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { page, depth, overflow } = next;
    if (page < FIRST_PAGE || page >= file.pages) return `page ${page} is missing`;
    if (seen.has(page)) return `page ${page} is in two places`;
    if (depth > MAX_DEPTH) return 'its tree is too deep';
    seen.add(page);
    const view = numbersIn(file.read(page));
    // A page has no other flag on the disk.
    const kind = view.getUint16(PAGE.flags, true);
    if (view.getBigUint64(PAGE.number, true) !== BigInt(page)) return `page ${page} is another page`;
    if (view.getBigUint64(PAGE.transaction, true) > file.transaction)
      return `page ${page} is of a later transaction`;
    if (overflow) {
      const last = page + view.getUint32(PAGE.overflowPages, true) - 1;
      if (kind !== OVERFLOW || last < page) return `page ${page} is not the page of a record`;
      if (last >= file.pages) return `page ${last} is missing`;
      continue;
    }
    if (kind !== BRANCH && kind !== LEAF) return `page ${page} is not part of a tree`;
    const children = childrenOf(view, kind, file.pageSize);
    if (!children) return `page ${page} has entries outside itself`;
    for (const child of children) waiting.push({ page: child, depth: depth + 1, overflow: kind === LEAF });
  }
  return undefined;
}

/** The pages that a page leads to: branches to branches and leaves, leaves to large records. Undefined where it is damaged. */
function childrenOf(view: DataView, kind: number, pageSize: number): number[] | undefined {
  const room = pageSize - PAGE.header;
  const lower = view.getUint16(PAGE.lower, true);
  const upper = view.getUint16(PAGE.upper, true);
  if (lower > upper || upper > room || lower % 2 !== 0 || (kind === BRANCH && lower < 4)) return undefined;
  const children: number[] = [];
  for (let at = PAGE.header; at < PAGE.header + lower; at += 2) {
    const offset = view.getUint16(at, true);
    if (offset < upper || offset % 2 !== 0 || offset + NODE.header > room) return undefined;
    const node = PAGE.header + offset;
    const low = view.getUint16(node + NODE.low, true) + view.getUint16(node + NODE.high, true) * 0x1_0000;
    const flags = view.getUint16(node + NODE.flags, true);
    const keySize = view.getUint16(node + NODE.keySize, true);
    const data = node + NODE.header + keySize;
    if (kind === BRANCH) {
      if (data > pageSize) return undefined;
      children.push(low + flags * 0x1_0000_0000);
    } else if (flags & BIG_DATA) {
      if (data + 8 > pageSize) return undefined;
      children.push(Number(view.getBigUint64(data, true)));
    } else if (data + low > pageSize) return undefined;
  }
  return children;
}
