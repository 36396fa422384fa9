import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Build, buildLimbeck } from './support/build.ts';
import { launch } from './support/child-process.ts';
import { patience } from './support/patience.ts';

// The plugin of docs/extending.md, as somebody outside of the package has it: files of their own that import 'limbeck'.
const pieces = new Map(
  [...readFileSync('docs/extending.md', 'utf8').matchAll(/```\w+ file=(\S+)\n([\s\S]*?)```/g)].map(
    ([, name, text]) => [name as string, text as string],
  ),
);

let build: Build;
let folder: string;

beforeAll(() => {
  build = buildLimbeck();
  folder = join(build.folder, 'visits');
  mkdirSync(folder);
  for (const [name, text] of pieces) writeFileSync(join(folder, name), text);
});

afterAll(() => build.remove());

const limbeck = (...args: string[]) => launch(build.cli, ['--plugin', 'counts.mjs', ...args], folder).ended;
const result = (run: string) => JSON.parse(readFileSync(join(folder, 'runs', run, 'result.json'), 'utf8'));

describe('docs/extending.md', () => {
  it(
    'trains and distils with a source, a modality, a target, a loss, a metric, a student and a task of a plugin',
    async () => {
      const trained = await limbeck('train', 'visits.yaml');
      expect(trained.code).toBe(0);
      const teacher = result('visits').student.metrics;
      // Always answering the mean count leaves a deviance of about 2.
      expect(teacher.deviance).toBeLessThan(0.5);
      expect(teacher.withinOne).toBeGreaterThan(0.6);

      const recipe = `${(pieces.get('visits.yaml') as string)
        .replace('name: visits', 'name: small')
        .replace(/^student: .*$/m, '')}${pieces.get('teacher.yaml')}`;
      writeFileSync(join(folder, 'small.yaml'), recipe);
      const distilled = await limbeck('distill', 'small.yaml');

      expect(distilled).toMatchObject({ code: 0 });
      const { student, teacher: asked } = result('small');
      expect(asked.metrics.deviance).toBeCloseTo(teacher.deviance, 5);
      expect(student.metrics.deviance).toBeLessThan(1);
    },
    patience(60),
  );

  it('says of a recipe what is missing without the plugin', async () => {
    const { code, err } = await launch(build.cli, ['train', 'visits.yaml'], folder).ended;
    expect(code).not.toBe(0);
    expect(err).toMatch(/count-regression|visits|numbers/);
  });

  it('refuses what is no plugin, and what cannot be loaded', async () => {
    writeFileSync(join(folder, 'none.mjs'), 'export default { name: "none", colours: [] };');
    const none = await launch(build.cli, ['--plugin', 'none.mjs', 'train', 'visits.yaml'], folder).ended;
    expect(none.err).toContain("a plugin has no part 'colours'");
    const gone = await launch(build.cli, ['--plugin', 'gone.mjs', 'train', 'visits.yaml'], folder).ended;
    expect(gone.err).toContain('the plugin cannot be loaded');
  });
});
