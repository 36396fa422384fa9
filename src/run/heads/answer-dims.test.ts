import { expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Head } from '../../targets/head.ts';
import { answerDims } from './answer-dims.ts';

it('has the length of a text for tokens, and the number of frames for clips', () => {
  const g = new GraphBuilder();
  g.output(g.relu(g.input('tokens', 'float32', ['batch', 'sequence', 3])), 'spans');
  g.output(g.relu(g.input('frames', 'float32', ['batch', 64, 2])), 'speech');
  const heads = ['spans', 'speech'].map((output) => ({ output, features: 'tokens' })) as unknown as Head[];
  expect([...answerDims(g.build(), heads)]).toEqual([
    ['spans', ['sequence', 3]],
    ['speech', [64, 2]],
  ]);
});
