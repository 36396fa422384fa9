import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HashSet } from './hash-set.ts';

it('has what a Set has', () => {
  const hash = fc.oneof(fc.nat(30), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(hash), fc.array(hash), fc.array(hash), (first, second, asked) => {
      const hashes = new HashSet();
      expect(hashes.has(0)).toBe(false);
      hashes.add(() => first);
      hashes.add(() => second);
      const set = new Set([...first, ...second]);
      expect(hashes.size).toBe(first.length + second.length);
      for (const one of [...first, ...second, ...asked]) expect(hashes.has(one)).toBe(set.has(one));
    }),
  );
});
