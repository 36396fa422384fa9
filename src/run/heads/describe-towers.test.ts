import { describe, expect, it } from 'vitest';
import { attributionMap } from '../../objectives/attribution-map.ts';
import { hidden } from '../../objectives/hidden.ts';
import { contextOf } from '../../objectives/required-models.ts';
import { similarity } from '../../objectives/similarity.ts';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import { uniformLayers } from '../../onnx/anatomy/layer-map.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor } from '../../onnx/tensor.ts';
import { runGraph } from '../../onnx/testing/run-graph.ts';
import { randomStream } from '../../random.ts';
import { audioConv } from '../../students/audio-conv.ts';
import { buildClassifier, buildStudent } from '../../students/build-student.ts';
import { dualEncoder } from '../../students/dual-encoder.ts';
import { openHead } from '../../targets/head.ts';
import { findTarget } from '../../targets/index.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { describeTowers } from './describe-pair.ts';

const random = () => randomStream(1, 'students');

describe('a model that listens', () => {
  const listening = (halvings: number) =>
    describeModel(
      buildClassifier(
        audioConv as never,
        audioConv.options.parse({ width: 12, blocks: 2, halvings, mels: 16 }) as never,
        { samplingRate: 8000, samples: 2048, classes: 3, random: random() } as never,
      ).graph,
    );

  it('has frames in the place of tokens, and its waveform for what reasons are told of', () => {
    const { features, layers } = listening(1);
    expect(features).toBe('input_values');
    expect(layers).toHaveLength(1);
    expect(layers[0]?.hidden).toEqual({ name: 'block_2/output', width: 12, frames: 8 });
  });

  it('is compared frame by frame only with one of as many frames', () => {
    const [student, teacher] = [listening(1), listening(0)];
    const models = { student, teacher, layers: uniformLayers(1, 1) };
    const options = hidden.options.parse({ weight: 1 });
    expect(() => hidden.term(options, { classes: 3, models })).toThrow(/8 frames .* 16 frames/);
    expect(() => hidden.term(options, { classes: 3, models: { ...models, teacher: student } })).not.toThrow();
    expect(() => similarity.term({ weight: 1 }, { classes: 3, models })).not.toThrow();
  });

  it('has reasons by part of the waveform, the last one filled up', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1, 40]);
    g.output(attributionMap(g, x, g.constant(float32(new Float32Array(40).fill(1), [1, 40]))), 'map');
    const { map } = await runGraph(g.build(), { x: float32(new Float32Array(40).fill(1), [1, 40]) });
    // Parts of two samples: twenty of them are there.
    const parts = [...((map as Tensor).data as Float32Array)];
    expect(parts).toHaveLength(32);
    for (const [i, part] of parts.entries()) expect(part).toBeCloseTo(i < 20 ? 1 / Math.sqrt(20) : 0, 5);
  });
});

it('a pair has two towers, and a loss about layers names one', () => {
  const target = findTarget('pairs') as AnyTarget;
  const head = openHead({
    output: 'pair',
    target,
    options: { width: 8 },
    space: { width: 16 },
    labels: 'labels',
  });
  const { graph } = buildStudent({
    backbone: dualEncoder as never,
    options: dualEncoder.options.parse({
      text: { kind: 'text-attention', width: 16, layers: 2 },
      image: { kind: 'mobilenet-v3', size: 'tiny', width: 0.25 },
    }) as never,
    inputs: {
      text: { vocabularySize: 30, maxLength: 8, pairs: false },
      image: { channels: 3, height: 16, width: 16 },
    } as never,
    heads: [head],
    random: random(),
  });
  const towers = describeTowers(graph, graph, 'pair');
  expect([...towers.keys()]).toEqual(['text_embeds', 'image_embeds']);
  const [text, image] = [...towers.values()];
  expect(text?.student.layers.map(({ hidden: state }) => state?.width)).toEqual([16, 16]);
  expect(text?.student.features).not.toBe('pixel_values');
  expect(image?.student.layers.every(({ features }) => features !== undefined)).toBe(true);
  expect(image?.student.features).toBe('pixel_values');

  const named = describeTowers(graph, graph, 'pair', {
    student: { hidden: [text?.student.layers[1]?.hidden?.name as string] },
  });
  expect(named.get('text_embeds')?.student.layers).toHaveLength(1);
  expect(named.get('text_embeds')?.teacher.layers).toHaveLength(2);
  expect(named.get('image_embeds')).toEqual(image);
  expect(() => describeTowers(graph, graph, 'pair', { teacher: { hidden: ['nowhere'] } })).toThrow(
    /no value 'nowhere'/,
  );

  const layered = new Map(
    [...towers].map(([side, both]) => [
      side,
      { ...both, layers: uniformLayers(both.student.layers.length, both.teacher.layers.length) },
    ]),
  );
  const whole = describeModel(graph);
  const models = { student: whole, teacher: whole, layers: [], towers: layered };
  const context = { classes: 0, models, sides: new Map([['text_embeds', 'caption']]) };
  expect(() => similarity.term({ weight: 1 }, context)).toThrow(/a pair has two/);
  expect(similarity.term({ weight: 1, output: 'text_embeds' }, context).name).toBe('similarity/text_embeds');
  expect(contextOf(context, 'hidden', 'image_embeds').models?.student.features).toBe('pixel_values');
});
