import { expect, test } from 'vitest';
import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { type Plugin, usePlugin } from './plugin.ts';

const source = { kind: 'tides', options: z.object({}), open: async () => ({}) };

test.each([
  [{ sources: source }, "'sources' is no list"],
  [{ sources: [undefined] }, "number 1 of the plugin's sources has no kind"],
  [{ sources: [{ ...source, open: undefined }] }, "'tides' of the plugin's sources has no open()"],
  [{ sources: [{ ...source, options: undefined }] }, "'tides' of the plugin's sources has no options"],
  [{ metrics: [{ target: 'class' }] }, "number 1 of the plugin's metrics has no make()"],
  [{ operators: [] }, "'operators' is no section of names"],
  [{ operators: { Mish: {} } }, "'Mish' of the plugin's operators has no gradient()"],
])('a plugin with %o is refused before anything of it is used', (parts, problem) => {
  const use = () => usePlugin({ name: 'tides', ...parts } as unknown as Plugin);
  expect(use).toThrow(LimbeckError);
  expect(use).toThrow(problem);
});
