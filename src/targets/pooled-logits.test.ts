import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildStudent } from '../students/build-student.ts';
import { resnet } from '../students/resnet.ts';
import { textConv } from '../students/text-conv.ts';
import { classes } from './classes.ts';
import { openHead } from './head.ts';
import { pooledLogits } from './pooled-logits.ts';
import type { AnyTarget } from './target.ts';

const HEAD = openHead({
  output: 'logits',
  target: classes as unknown as AnyTarget,
  options: classes.options.parse({ pooling: 'logSumExp' }),
  space: { names: ['bag', 'boot'] },
  labels: 'labels',
});

describe('pooled logits', () => {
  it('are between the mean of all places and the highest, as the equation has them', async () => {
    const g = new GraphBuilder();
    g.output(pooledLogits(g, g.input('x', 'float32', ['batch', 2, 2, 3])), 'y');
    const session = await createNodeEngine({ threads: 1 }).load(writeModel(g.build('pooled')));
    const x = [0, 0, 0, 0, 0, 4, -1, 2, 0.5, 30, -20, 3];
    const { y } = await session.run({ x: float32(x, [1, 2, 2, 3]) });
    await session.release();
    const direct = [x.slice(0, 6), x.slice(6)].map(
      (row) => Math.log(row.reduce((sum, v) => sum + Math.exp(5 * v), 0) / 6) / 5,
    );
    for (const [k, value] of direct.entries()) expect(y?.data[k]).toBeCloseTo(value, 4);
    expect(direct[0]).toBeGreaterThan(3.5);
  });

  it('belong to students with a map; others are refused with the place', () => {
    const image = { channels: 1, height: 8, width: 8 };
    const student = buildStudent({
      backbone: resnet,
      options: resnet.options.parse({ width: 4, stages: 2, blocks: 1 }),
      inputs: image,
      heads: [HEAD],
      random: randomStream(1, 'weights'),
    });
    expect(student.graph.outputs[0]?.shape).toEqual(['batch', 2]);
    expect(() =>
      buildStudent({
        backbone: textConv,
        options: textConv.options.parse({}),
        inputs: { vocabularySize: 16, maxLength: 8 },
        heads: [HEAD],
        random: randomStream(1, 'weights'),
      }),
    ).toThrow(/no places/);
  });
});
