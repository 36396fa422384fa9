import { describe, expect, it } from 'vitest';
import { libraryDifferences } from './library-differences.ts';
import { charsmapDifference, PrecompiledCharsmap } from './precompiled-charsmap.ts';

/** A charsmap in SentencePiece's layout: nodes are placed one after another, 256 units apart, which wastes space only. */
function charsmap(replacements: Record<string, string>): string {
  const strings: number[] = [];
  type Node = { children: Map<number, Node>; value?: number };
  const root: Node = { children: new Map() };
  for (const [from, to] of Object.entries(replacements)) {
    let node = root;
    for (const byte of new TextEncoder().encode(from)) {
      const child: Node = node.children.get(byte) ?? { children: new Map() };
      node.children.set(byte, child);
      node = child;
    }
    node.value = strings.length;
    strings.push(...new TextEncoder().encode(to), 0);
  }
  const units: number[] = [];
  let free = 256;
  const place = (node: Node, at: number, label: number) => {
    const block = free;
    free += 256;
    // The place of a child is this unit's place, its offset and the child's byte, by exclusive or.
    units[at] = (((at ^ block) << 10) | label | (node.value === undefined ? 0 : 1 << 8)) >>> 0;
    if (node.value !== undefined) units[block] = (0x80000000 | node.value) >>> 0;
    for (const [byte, child] of node.children) place(child, block ^ byte, byte);
  };
  place(root, 0, 0);
  const bytes = Buffer.alloc(4 + 4 * free);
  bytes.writeUInt32LE(4 * free, 0);
  for (let i = 0; i < free; i++) bytes.writeUInt32LE(units[i] ?? 0, 4 + 4 * i);
  return Buffer.concat([bytes, Buffer.from(strings)]).toString('base64');
}

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const folding = charsmap(Object.fromEntries(LETTERS.map((letter) => [letter, letter.toLowerCase()])));

it('replaces what a charsmap has, in any number of bytes', () => {
  const map = new PrecompiledCharsmap(charsmap({ a: 'xyz', ß: 'ss', '\ufeff': '', 日: '月' }));
  expect(['a', 'ß', '\ufeff', '日', 'b', '本'].map((text) => map.replace(text))).toEqual([
    'xyz',
    'ss',
    '',
    '月',
    'b',
    '本',
  ]);
});

describe('the difference to the library', () => {
  it('is the case of letters, where they are folded', () => {
    expect(charsmapDifference(folding).foldsCase).toBe(true);
    expect(charsmapDifference(charsmap({ ﬁ: 'fi' })).foldsCase).toBe(false);
  });

  it('is counted, for characters that become something else', () => {
    const { others, examples } = charsmapDifference(charsmap({ x: 'y' }));
    // The library does NFKC, which this charsmap does not.
    expect(others).toBeGreaterThan(1000);
    expect(examples[0]).toMatch(/^U\+/);
  });

  it('is said of a tokenizer.json', () => {
    const normalizer = {
      type: 'Sequence',
      normalizers: [{ type: 'Precompiled', precompiled_charsmap: folding }],
    };
    const found = libraryDifferences({ normalizer, model: {} });
    expect(found[0]).toMatch(/folds case.*capitals stay/);
    const none = { type: 'Precompiled', precompiled_charsmap: null };
    expect(libraryDifferences({ normalizer: none, model: {} })[0]).toMatch(/without a charsmap/);
    const broken = { type: 'Precompiled', precompiled_charsmap: '/////w==' };
    expect(libraryDifferences({ normalizer: broken, model: {} })[0]).toMatch(/cannot be read/);
  });
});
