import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
import { withOutputs } from '../../onnx/passes/select-outputs.ts';
import { readModel } from '../../onnx/read-model.ts';
import { float32, int64, type Tensor, toNumbers } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import type { GivenTowers } from '../../students/backbone.ts';
import { buildStudent } from '../../students/build-student.ts';
import { clip } from '../../students/clip.ts';
import { cut } from '../../students/cut.ts';
import type { Student } from '../../students/student.ts';
import { openHead } from '../../targets/index.ts';
import { pairs } from '../../targets/pairs.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { cutTowers } from './cut-towers.ts';

const TEXT = { vocabularySize: 20, maxLength: 6 };
const IMAGE = { channels: 3, height: 16, width: 16 };
const FEEDS = {
  input_ids: int64([3, 4, 5, 0, 7, 8, 9, 2], [2, 4]),
  attention_mask: int64([1, 1, 1, 0, 1, 1, 1, 1], [2, 4]),
  pixel_values: float32(
    Float32Array.from({ length: 1536 }, (_, i) => Math.sin(i)),
    [2, 3, 16, 16],
  ),
};

function student(backbone: object, options: object, width: number, given?: GivenTowers): Student {
  return buildStudent({
    backbone: backbone as never,
    options: options as never,
    inputs: { text: TEXT, image: IMAGE, ...(given && { given }) } as never,
    heads: [
      openHead({
        ...{ output: 'pairs', target: pairs as unknown as AnyTarget, labels: 'labels' },
        ...{ options: { width }, space: { width: 2 * width } },
      }),
    ],
    random: randomStream(1, 'student'),
  });
}

const teacher = student(
  clip,
  clip.options.parse({
    text: { width: 16, heads: 4, layers: 3 },
    image: { width: 24, heads: 6, layers: 4, patch: 8 },
  }),
  10,
).graph;

/** The model of one output. */
const only = (graph: Graph, output: string): Graph => {
  const part = withOutputs(graph, [output]);
  const reads = output === 'text_embeds' ? ['input_ids', 'attention_mask'] : ['pixel_values'];
  return { ...part, inputs: part.inputs.filter(({ name }) => reads.includes(name)) };
};
const towers = { text: only(teacher, 'text_embeds'), image: only(teacher, 'image_embeds') };

async function vectors(graph: Graph): Promise<number[]> {
  const { pairs: both } = await runGraph(withOutputs(graph, ['pairs']), FEEDS);
  return toNumbers(both as Tensor);
}

describe('a student that is cut out of both towers of CLIP', () => {
  it('is its teacher where nothing is left out, its projections too', async () => {
    const whole = student(cut, {}, 10, cutTowers(towers, { text: {}, image: {} }));
    const [own, theirs] = [await vectors(whole.graph), await vectors(teacher)];
    expect(own).toEqual(theirs.map((value) => expect.closeTo(value, 5)));
    const weights = [...teacher.initializers].filter(([{ name }]) =>
      /(weight|bias|scale|embedding|token)$/.test(name),
    );
    expect(whole.parameters).toHaveLength(weights.length);
  });

  it('has the layers, heads and widths of each tower that are named, and may have vectors of another width', async () => {
    const given = cutTowers(towers, {
      text: { layers: [0, 2], heads: 2, width: 0.5 },
      image: { layers: 2, heads: 3, width: 0.75 },
    });
    const { graph, parameters } = student(cut, {}, 6, given);
    const sizes = ({ graph: tower }: { readonly graph: Graph }) =>
      describeModel(tower).layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads]);
    expect(sizes(given.text)).toEqual([
      [8, 2],
      [8, 2],
    ]);
    expect(sizes(given.image)).toEqual([
      [18, 3],
      [18, 3],
    ]);
    expect(
      parameters.some((name) => name.startsWith('text_model/') && name.endsWith('layers.1/mlp/fc1/weight')),
    ).toBe(true);
    expect(parameters).toContain('text_projection/weight');
    expect(await vectors(graph)).toHaveLength(2 * 12);
  });

  it('says in which tower a size cannot be', () => {
    expect(() => cutTowers(towers, { text: {}, image: { layers: 5 } })).toThrow(
      expect.objectContaining({ where: 'student.image.layers', message: 'the teacher has 4 layers, not 5' }),
    );
    expect(() => cutTowers(towers, { text: { heads: 5 }, image: {} })).toThrow(
      expect.objectContaining({ where: 'student.text.heads, of kind: cut' }),
    );
  });

  it.each(['torchscript.16', 'dynamo.18'])('cuts towers that PyTorch exported: %s', async (exporter) => {
    const read = (side: string) => {
      const file = join(
        import.meta.dirname,
        `../../../test/pytorch-gradients/cases/clip-${side}.${exporter}.eval.symbolic.onnx.gz`,
      );
      // Its output is what the case makes of the vectors.
      return readModel(gunzipSync(readFileSync(file)), { title: side });
    };
    const size = { layers: 1, heads: 1, width: 0.5 };
    const { text, image } = cutTowers(
      { text: read('text'), image: read('vision') },
      { text: size, image: size },
    );
    for (const { graph, constants = [] } of [text, image]) {
      expect(
        describeModel(graph).layers.map(({ hidden, attention }) => [hidden?.width, attention?.heads]),
      ).toEqual([[8, 1]]);
      const trained = [...graph.initializers].filter(
        ([{ name }, { type, data }]) => type === 'float32' && data.length > 1 && !constants.includes(name),
      );
      for (const [{ name }, { data }] of trained)
        expect([name, [...(data as Float32Array)].every((value) => value > -1e9)]).toEqual([name, true]);
    }
  });
});
