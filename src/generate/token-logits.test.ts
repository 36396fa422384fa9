import { expect, it } from 'vitest';
import type { Session } from '../engine/engine.ts';
import { tensor } from '../onnx/tensor.ts';
import { readDecoderConfig } from './decoder-config.ts';
import { scoreTexts } from './score-texts.ts';
import { sessionDecoder } from './session-decoder.ts';

/** A classifier of texts, whose logits are [texts, 2]. */
const classifier: Session = {
  inputNames: ['input_ids', 'attention_mask'],
  outputNames: ['logits'],
  async run({ input_ids }) {
    const texts = input_ids?.dims[0] as number;
    return { logits: tensor('float32', [texts, 2], new Float32Array(2 * texts)) };
  },
  async release() {},
};

const refusal = {
  code: 'generate.model',
  message: expect.stringContaining('is no language model that could be sampled'),
};

it('a classifier is no language model, whatever its outputs are called', async () => {
  const where = 'logits: [1, 2] of 1 texts';
  await expect(
    sessionDecoder(classifier)
      .begin()
      .read([[5, 6]]),
  ).rejects.toMatchObject({ ...refusal, where });
  const texts = [{ prompt: [5], continuation: [6, 7] }];
  await expect(scoreTexts(classifier, texts)).rejects.toMatchObject({ ...refusal, where });
});

it.each(['BertForSequenceClassification', 'BertForTokenClassification', 'BertForMaskedLM'])(
  'nor is a %s',
  (name) => {
    expect(() => readDecoderConfig(JSON.stringify({ architectures: [name] }))).toThrow(
      expect.objectContaining({ ...refusal, message: expect.stringContaining(name) }),
    );
  },
);

it.each(['GPT2LMHeadModel', 'LlamaForCausalLM', 'RwkvModel'])('a %s may be', (name) => {
  expect(readDecoderConfig(JSON.stringify({ architectures: [name], n_positions: 7 })).maxLength).toBe(7);
});
