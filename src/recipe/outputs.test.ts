import { describe, expect, it } from 'vitest';
import { targets } from '../targets/index.ts';
import { withOutputDefaults } from './outputs.ts';
import { checkRecipe } from './parse.ts';

const RECIPE = {
  name: 'mine',
  data: { source: { kind: 'csv', path: 'rows.csv' } },
  student: { kind: 'text-conv' },
};

describe('outputs', () => {
  it('bring the losses of their targets, and the metric of the main one', () => {
    const whole = withOutputDefaults({
      ...RECIPE,
      teacher: { kind: 'use-lite' },
      outputs: { tags: { target: 'classes', field: 'tags' }, price: { target: 'number', field: 'price' } },
    });
    expect(whole).toMatchObject({
      objective: [
        { kind: 'bceKd', output: 'tags' },
        { kind: 'bce', output: 'tags' },
        { kind: 'mseKd', output: 'price' },
        { kind: 'mse', output: 'price' },
      ],
      training: { earlyStopping: { metric: 'tags/macroAuroc' } },
    });
  });

  it('learn from their labels alone without a teacher, and from the teacher alone without a field', () => {
    expect(withOutputDefaults({ ...RECIPE, outputs: { y: { target: 'number', field: 'y' } } })).toMatchObject(
      {
        objective: [{ kind: 'mse', output: 'y' }],
        training: { earlyStopping: { metric: 'rmse' } },
      },
    );
    const taught = { ...RECIPE, teacher: {}, outputs: { embedding: { target: 'embedding' } } };
    expect(withOutputDefaults(taught)).toMatchObject({ objective: [{ kind: 'cosineKd' }] });
  });

  it.each([
    ['feature-extraction', { embedding: { target: 'embedding' } }],
    ['token-classification', { logits: { target: 'token-classes', field: 'spans' } }],
  ])('are those of the task %s where a recipe names none, with their losses and metric', (task, outputs) => {
    const taught = { ...RECIPE, task, teacher: { kind: 'onnx', model: 'teacher' } };
    const { outputs: _, ...stated } = checkRecipe({ ...taught, outputs });
    expect(checkRecipe(taught)).toEqual(stated);
    expect(stated.training.earlyStopping).not.toMatchObject({ metric: 'accuracy' });
  });

  it('refuse a metric that the answers of their task do not have, as the recipe is read', () => {
    const training = { earlyStopping: { metric: 'accuracy' } };
    const taught = { ...RECIPE, task: 'feature-extraction', teacher: { kind: 'use-lite', train: 'none' } };
    expect(() => checkRecipe({ ...taught, training })).toThrow(/training\.earlyStopping\.metric/);
  });

  it.each(['class', 'classes', 'boxes', 'token-classes', 'frame-classes'])(
    'of %s name each class once',
    (target) => {
      const outputs = { y: { target, field: 'y', labels: ['a', 'b', 'a'] } };
      expect(() => checkRecipe({ ...RECIPE, outputs })).toThrow(
        /outputs\.y\.labels\[2\]: the class 'a' is there twice/,
      );
    },
  );

  it.each(['messages', 'input', 'model', 'n', 'stream'])(
    'keep a hosted teacher from another question by parameters.%s',
    (name) => {
      const teacher = {
        kind: 'chat',
        baseURL: 'http://127.0.0.1:1/v1',
        model: 'm',
        parameters: { [name]: 1 },
      };
      expect(() => checkRecipe({ ...RECIPE, teacher })).toThrow(`teacher.parameters.${name}: `);
    },
  );

  it('leave what a recipe says itself', () => {
    const objective = [{ kind: 'mse', weight: 1 }];
    const training = { earlyStopping: { metric: 'mae' } };
    const own = { ...RECIPE, outputs: { y: { target: 'number', field: 'y' } }, objective, training };
    expect(withOutputDefaults(own)).toMatchObject({ objective, training });
    expect(withOutputDefaults({ ...own, training: { earlyStopping: false } })).toMatchObject({
      training: { earlyStopping: false },
    });
    expect(withOutputDefaults(RECIPE)).toBe(RECIPE);
  });

  it('name the metrics that a training may stop by', () => {
    const stopBy = (metric: string, outputs: unknown) => () =>
      checkRecipe({ ...RECIPE, outputs, training: { earlyStopping: { metric } } });
    const one = { y: { target: 'number', field: 'y' } };
    const two = { ...one, tags: { target: 'classes', field: 'tags' } };
    expect(stopBy('accuracy', one)).toThrow(/training\.earlyStopping\.metric.*one of rmse, mae/s);
    expect(stopBy('rmse', two)).toThrow(/one of y\/rmse.*tags\/macroAuroc/);
    expect(stopBy('mae', one)).not.toThrow();
    expect(stopBy('tags/macroF1', two)).not.toThrow();
    for (const target of targets()) expect(target.example, target.kind).toBeDefined();
  });

  it('are refused with their key where they are wrong', () => {
    const wrong = (outputs: unknown) => () => checkRecipe({ ...RECIPE, outputs });
    expect(wrong({ y: { target: 'number' } })).toThrow(/outputs\.y\.field/);
    expect(wrong({ y: { target: 'numbers', field: 'y' } })).toThrow(/outputs\.y/);
    expect(wrong({ y: { target: 'number', field: 'y', width: 3 } })).toThrow(/outputs\.y\.width/);
    expect(wrong({})).toThrow(/one output at least/);
    expect(wrong({ 'a/b': { target: 'number', field: 'y' } })).toThrow(/letters, digits/);
  });

  it('are refused where they are named as an input of models is', () => {
    const named = (name: string, inputs?: unknown) => () =>
      checkRecipe({
        ...RECIPE,
        ...(inputs !== undefined && { inputs }),
        outputs: { [name]: { target: 'number', field: 'y' } },
      });
    for (const name of ['input_ids', 'attention_mask', 'token_type_ids', 'pixel_values', 'input_values'])
      expect(named(name)).toThrow(new RegExp(`outputs\\.${name}.*another name`, 's'));
    const two = {
      title: { modality: 'text', field: 'a' },
      body: { modality: 'text', field: 'b', prefix: 'b' },
    };
    for (const name of ['b_input_ids', 'title']) expect(named(name, two)).toThrow(`outputs.${name}`);
    expect(named('title')).not.toThrow();
  });
});
