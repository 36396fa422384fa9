import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../data/testing/temporary-folder.ts';
import { hubTask } from './configuration.ts';

const newFolder = temporaryFolders();

describe('the task of a model', () => {
  it.each([
    [
      { architectures: ['BertForSequenceClassification'], model_type: 'bert' },
      'text-classification',
      'class',
    ],
    [
      { architectures: ['BertForSequenceClassification'], problem_type: 'multi_label_classification' },
      'text-classification',
      'classes',
    ],
    [
      { architectures: ['RobertaForSequenceClassification'], id2label: { 0: 'LABEL_0' } },
      'text-classification',
      'number',
    ],
    [{ architectures: ['DistilBertForTokenClassification'] }, 'token-classification', 'token-classes'],
    [{ architectures: ['ViTForImageClassification'], model_type: 'vit' }, 'image-classification', 'class'],
    [
      { architectures: ['Wav2Vec2ForSequenceClassification'], model_type: 'wav2vec2' },
      'audio-classification',
      'class',
    ],
    [{ architectures: ['CLIPModel'], model_type: 'clip' }, 'zero-shot-image-classification', 'pairs'],
    [{ architectures: ['MPNetModel'], model_type: 'mpnet' }, 'feature-extraction', 'embedding'],
    [{ architectures: ['T5ForConditionalGeneration'], model_type: 't5' }, undefined, undefined],
    [{ architectures: 'nothing' }, undefined, undefined],
  ])('of %j', async (config, pipeline, target) => {
    const file = join(await newFolder(), 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const { task } = hubTask(file, false);
    expect([task?.pipeline, task?.target]).toEqual([pipeline, target]);
  });
});
