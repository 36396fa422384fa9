import { expect, test } from 'vitest';
import { mixedLines } from '../../layer-precisions.ts';
import { CLASS_METRICS, type LayerPrecision } from '../../result.ts';
import { layerPrecisionsSection } from './layer-precisions.ts';

const layers: LayerPrecision[] = [
  { layer: 'table', precision: 'q4', drop: 0.001, fourBitCost: 0.0012 },
  { layer: 'conv/<w>', precision: 'int8', drop: 0.0004, fourBitCost: 0.03 },
  { layer: 'head', precision: 'f32', drop: null },
];
const result = (own: LayerPrecision[] | undefined) => ({
  metrics: CLASS_METRICS,
  student: { accuracy: 0.8 },
  studentInt8: { layers: own },
});

test('the report tells the precision and the cost of each layer, where they are not all alike', () => {
  const text = layerPrecisionsSection({ result: result(layers) as never })?.markup ?? '';
  expect(text).toMatch(
    /<bdi>table<\/bdi><\/th><td>4-bit weights<\/td><td class="end">−0.10<\/td><td class="end">0.0012<\/td>/,
  );
  expect(text).toMatch(/<bdi>conv\/&lt;w&gt;<\/bdi><\/th><td>int8<\/td>/);
  expect(text).toMatch(
    /<bdi>head<\/bdi><\/th><td>float32<\/td><td class="end">everything<\/td><td class="end"><\/td>/,
  );
  const alike = result([{ layer: 'head', precision: 'int8' }]);
  expect(layerPrecisionsSection({ result: alike as never })).toBeNull();
  expect(layerPrecisionsSection({ result: result(undefined) as never })).toBeNull();
});

test('what a layer costs an error makes it larger', () => {
  const metrics = [{ name: 'perplexity', title: 'perplexity', better: 'lower', format: 'number' }];
  const own = { ...result(layers), metrics, student: { metrics: { perplexity: 20 } } };
  const text = (layerPrecisionsSection({ result: own as never })?.markup ?? '').replaceAll('\u202f', ' ');
  expect(text).toContain('Alone in int8, perplexity %');
  expect(text).toContain('4 bits beside int8, perplexity %');
  expect(text).toMatch(/<bdi>table.*<td class="end">\+0.10<\/td><td class="end">\+0.12<\/td>/);
});

test('card and terminal say which layers have another precision than their file', () => {
  expect(mixedLines(result(layers) as never)).toEqual([
    'the int8 file has 1 of 3 layers in float32 (head) and 1 in 4-bit weights (table)',
  ]);
  expect(mixedLines(result([{ layer: 'head', precision: 'int8', drop: 0.1 }]) as never)).toEqual([]);
});
