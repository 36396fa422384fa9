import { expect, test } from 'vitest';
import { BrokenValue } from './data/broken-value.ts';
import { damagedImage } from './data/modalities/image/damaged-image.ts';
import { LimbeckError } from './errors.ts';
import { wholeSentence } from './whole-sentence.ts';

test('a colon that nothing follows is no part of a sentence', () => {
  expect(wholeSentence('the file cannot be read: ')).toBe('the file cannot be read');
  expect(wholeSentence('two lines:\n  one\n ')).toBe('two lines:\n  one\n ');
  expect(new LimbeckError('data.empty', 'none of the 3 rows can be used: ').message).toBe(
    'none of the 3 rows can be used',
  );
  expect(new BrokenValue('image', 'the image is damaged:').message).toBe('the image is damaged');
});

test.each([
  ['Input buffer has corrupt header: ', 'the PNG image is damaged: its header cannot be read'],
  ['', 'the PNG image is damaged'],
  ['vipspng: libpng read error\n', 'the PNG image is damaged: libpng read error'],
  [
    'Input buffer has corrupt header: VipsJpeg: premature end\nVipsJpeg: no image\nVipsJpeg: premature end\n',
    'the PNG image is damaged: its header cannot be read; premature end; no image',
  ],
])('a decoder says %j', (said, told) => {
  expect(damagedImage('png', new Error(said)).message).toBe(told);
});
