import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import type { Sample, SourceRow } from '../sample.ts';
import { emoji } from './emoji.ts';

const context = { resolvePath: (path: string) => path, cacheFolder: '' };
const open = (options: object = {}) => emoji.open(emoji.options.parse(options), context);

async function samplesOf(options: object = {}) {
  const rows: SourceRow[] = [];
  for await (const row of (await open(options)).rows()) rows.push(row);
  expect(rows.every((row) => 'sample' in row)).toBe(true);
  return rows.flatMap((row) => ('sample' in row ? [row.sample] : []));
}

const drawingOf = (sample: Sample | undefined) =>
  (sample as Sample).values.image as { pixels: Uint8Array; dims: number[] };

test('every emoji has its drawing, its names and its group; skin tones are of one group', async () => {
  const samples = await samplesOf();
  expect(samples).toHaveLength(3781);
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length);
  expect(new Set(samples.map(({ values }) => values.label)).size).toBe(9);
  const nerd = samples.find(({ id }) => id === '1F913');
  expect(nerd?.values).toMatchObject({
    text: 'nerd face, brainy, clever, expert, face, geek, gifted, glasses, intelligent, nerd, smart',
    name: 'nerd face',
    label: 'Smileys & Emotion',
    emoji: '🤓',
  });
  const waving = samples.filter(({ group }) => group === '1F44B');
  expect(waving.map(({ values }) => values.name)).toContain('waving hand: dark skin tone');
  expect(waving).toHaveLength(6);
});

test('drawings are cut where they are: a red circle is red in the middle and white in the corner', async () => {
  for (const vendor of ['google', 'twitter']) {
    const samples = await samplesOf({ vendor, skinTones: false, countries: false });
    const { pixels, dims } = drawingOf(samples.find(({ values }) => values.name === 'red circle'));
    expect(dims).toEqual([3, 32, 32]);
    const at = (place: number) => [pixels[place], pixels[1024 + place], pixels[2048 + place]] as number[];
    expect(at(0)).toEqual([255, 255, 255]);
    const [red, green, blue] = at(16 * 32 + 16) as [number, number, number];
    expect(red - Math.max(green, blue)).toBeGreaterThan(100);
    // Both vendors have the same emoji, and thus the same splits.
    expect(samples).toHaveLength(1644);
  }
});

test('names in other languages; the background; the fingerprint', async () => {
  const german = await samplesOf({ language: 'de', skinTones: false, background: '#000000' });
  const dog = german.find(({ id }) => id === '1F415');
  expect(dog?.values.name).toBe('Hund');
  expect(drawingOf(dog).pixels[0]).toBe(0);
  const fingerprints = await Promise.all(
    [{}, { language: 'de' }, { vendor: 'twitter' }].map(async (options) =>
      (await open(options)).fingerprint(),
    ),
  );
  expect(new Set(fingerprints).size).toBe(3);
  await expect(open({ language: 'xx' })).rejects.toMatchObject({ code: 'data.missing' });
});

test('a package that is missing is named', async () => {
  expect(existsSync('node_modules/emoji-datasource-google')).toBe(true);
  const { packageFolder } = await import('./emoji.ts');
  expect(() => packageFolder('emoji-datasource-nobody')).toThrowError(LimbeckError);
  expect(() => packageFolder('emoji-datasource-nobody')).toThrowError('is not installed');
});
