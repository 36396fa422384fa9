import { expect, it } from 'vitest';
import { elementCount } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { buildClassifier } from './build-student.ts';
import { mobilenetV3 } from './mobilenet-v3.ts';

/** The weights of torchvision's `mobilenet_v3_large` and `mobilenet_v3_small`, with 1,000 classes. */
it.each([
  ['large', 5_483_032],
  ['small', 2_542_856],
] as const)('%s has as many weights as that of torchvision', (size, count) => {
  const inputs = { vocabularySize: 1, maxLength: 1, trainingTexts: [], channels: 3, height: 224, width: 224 };
  const options = mobilenetV3.options.parse({ size });
  const random = randomStream(1, 'mobilenet');
  const { graph, parameters } = buildClassifier(mobilenetV3, options, { ...inputs, classes: 1000, random });
  // Without the running statistics, which are no weights.
  const trained = [...graph.initializers].filter(([{ name }]) => parameters.includes(name));
  expect(trained.reduce((sum, [, { dims }]) => sum + elementCount(dims), 0)).toBe(count);
});
