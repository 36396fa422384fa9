import { describe, expect, it } from 'vitest';
import { describeModel } from '../../onnx/anatomy/describe-model.ts';
import type { Graph } from '../../onnx/graph.ts';
import { toEvaluationForm } from '../../onnx/passes/to-evaluation-form.ts';
import { tensor } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { albert } from '../../students/albert.ts';
import { bert } from '../../students/bert.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { distilbert } from '../../students/distilbert.ts';
import { buildGpt2 } from '../../students/gpt2.ts';
import { buildLlama } from '../../students/llama.ts';
import { mobilenetV3 } from '../../students/mobilenet-v3.ts';
import { resnet } from '../../students/resnet.ts';
import { textAttention } from '../../students/text-attention.ts';
import { textConv } from '../../students/text-conv.ts';
import { attachHead } from '../../teachers/classifier.ts';
import { tapTeacher } from '../../teachers/tap-teacher.ts';
import { buildUseLiteEncoder } from '../../teachers/use-lite/encoder.ts';
import { readUseLiteWeights } from '../../teachers/use-lite/weights.ts';
import { describePair } from './describe-pair.ts';

const random = randomStream(1, 'students');
const texts = { vocabularySize: 50, classes: 5, maxLength: 12, random };
const images = { channels: 1, height: 28, width: 28, classes: 5, random };

const attentionStudent = (layers: number) =>
  buildClassifier(textAttention, textAttention.options.parse({ width: 16, layers }), texts).graph;

const ours: [name: string, graph: Graph][] = [
  ['text-conv', buildClassifier(textConv, textConv.options.parse({}), texts).graph],
  ['text-attention', attentionStudent(3)],
  ['one layer of text-attention', attentionStudent(1)],
  ['bert', buildClassifier(bert, bert.options.parse({ width: 16, layers: 3 }), texts).graph],
  [
    'albert',
    buildClassifier(albert, albert.options.parse({ width: 16, layers: 3, embedding: 8 }), texts).graph,
  ],
  [
    'distilbert',
    buildClassifier(distilbert, distilbert.options.parse({ width: 16, layers: 3 }), texts).graph,
  ],
  ['gpt2', buildGpt2({ width: 16, heads: 2, layers: 2 }, texts).graph],
  ['llama', buildLlama({ width: 16, heads: 4, keyHeads: 2, layers: 2 }, texts).graph],
  ['resnet', buildClassifier(resnet, resnet.options.parse({ blocks: 2 }), images).graph],
  ['mobilenet-v3', buildClassifier(mobilenetV3, mobilenetV3.options.parse({ size: 'tiny' }), images).graph],
];

describe('our students', () => {
  it.each(ours)('%s is described alike in training and in evaluation', (_, graph) => {
    const anatomy = describeModel(graph);
    expect(anatomy.layers.length).toBeGreaterThan(0);
    expect(describeModel(toEvaluationForm(graph))).toEqual(anatomy);
  });

  it('have the taps that their builders name', () => {
    const layers = new Map(ours.map(([name, graph]) => [name, describeModel(graph).layers]));
    const names = (student: string) =>
      layers
        .get(student)!
        .map(({ attention, hidden, features }) => [attention?.probabilities, hidden?.name ?? features?.name]);
    expect(names('text-conv')).toEqual([[undefined, 'convolution/output']]);
    expect(describeModel(ours[0]![1]).features).toBe('embedding/output');
    expect(names('text-attention')).toEqual(
      [0, 1, 2].map((i) => [`layer_${i}/attention/probabilities`, `layer_${i}/output`]),
    );
    expect(names('one layer of text-attention')).toEqual([
      ['layer_0/attention/probabilities', 'layer_0/output'],
    ]);
    expect(names('bert')).toEqual(
      [0, 1, 2].map((i) => [`encoder/layer.${i}/attention/self/probabilities`, `encoder/layer.${i}/output`]),
    );
    // One layer's weights, a tap for each repetition of it.
    expect(names('albert')).toEqual(
      [0, 1, 2].map((i) => [`encoder/layer.${i}/attention/probabilities`, `encoder/layer.${i}/output`]),
    );
    expect(names('distilbert')).toEqual(
      [0, 1, 2].map((i) => [
        `transformer/layer.${i}/attention/probabilities`,
        `transformer/layer.${i}/output`,
      ]),
    );
    expect(names('gpt2')).toEqual([0, 1].map((i) => [`h.${i}/attn/probabilities`, `h.${i}/output`]));
    expect(names('llama')).toEqual(
      [0, 1].map((i) => [`layers.${i}/self_attn/probabilities`, `layers.${i}/output`]),
    );
    for (const student of ['resnet', 'mobilenet-v3']) {
      const ends = layers.get(student)!.filter(({ features }) => features?.endsStage);
      expect(ends.map(({ features }) => features?.name)).toEqual(ends.map((_, i) => `stage_${i + 1}/output`));
    }
  });
});

describe('the sentence encoder', () => {
  it('has two layers, whose names are taps of the teacher, and of a student that declares its own', async () => {
    const head = {
      weight: tensor('float32', [512, 5], new Float32Array(2560)),
      bias: tensor('float32', [5], new Float32Array(5)),
    };
    const file = attachHead(buildUseLiteEncoder(await readUseLiteWeights()), head);
    const taps = { student: { hidden: ['layer_2/output'] } };
    const { student, teacher } = describePair({ taps }, attentionStudent(3), file);
    expect(student.layers.map(({ hidden }) => hidden?.name)).toEqual(['layer_2/output']);
    expect(teacher.layers.map(({ attention, hidden }) => [attention?.heads, hidden?.width])).toEqual([
      [4, 512],
      [4, 512],
    ]);
    const names = teacher.layers.flatMap(({ attention, hidden }) => [hidden!.name, attention!.values!]);
    const { dims } = tapTeacher(
      file,
      names.map((tap) => ({ tap, build: (_, { value }) => value(tap) })),
    );
    expect([...dims.values()]).toEqual([
      ['sequence', 512],
      [4, 'sequence', 64],
      ['sequence', 512],
      [4, 'sequence', 128],
    ]);
    const gradient = {
      tap: 'gradient',
      build: (_: unknown, t: Parameters<Parameters<typeof tapTeacher>[1][0]['build']>[1]) =>
        t.gradient(t.value('logits'), teacher.features!),
    };
    expect(tapTeacher(file, [gradient]).dims.get('gradient')).toEqual(['sequence', 256]);
  });
});
