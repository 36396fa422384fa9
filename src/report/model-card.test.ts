import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderModelCard } from './model-card.ts';
import { hostileReport } from './testing/hostile-report.ts';
import { syntheticReport } from './testing/synthetic-report.ts';

const FACTS = { license: 'apache-2.0', languages: ['en'], datasets: ['someone/glosses'], maxLength: 64 };

function frontMatter(card: string) {
  const [, yaml] = /^---\n([\s\S]*?)\n---\n/.exec(card)!;
  return parse(yaml!);
}

describe('renderModelCard', () => {
  const data = syntheticReport();
  const card = renderModelCard(data, FACTS);

  it('has the metadata that the hub reads', () => {
    expect(frontMatter(card)).toMatchObject({
      license: 'apache-2.0',
      language: ['en'],
      library_name: 'transformers.js',
      pipeline_tag: 'text-classification',
      tags: ['distillation', 'onnx', 'limbeck'],
      datasets: ['someone/glosses'],
    });
    const [index] = frontMatter(card)['model-index'];
    expect(index.results[0].metrics[0].value).toBeCloseTo(data.result.student.accuracy as number, 4);
  });

  it('shows the results beside the baseline, the code and how to repeat it', () => {
    expect(card.match(/^\| (Teacher|\*\*Student|Baseline)/gm)).toHaveLength(4);
    expect(card).toContain("pipeline('text-classification'");
    expect(card).toContain(data.result.command);
    expect(card).toContain(data.recipe.trimEnd());
    expect(card).toContain('Texts are cut after 64 tokens.');
  });

  it('gives both texts of a pair to the tokenizer, for no pipeline takes them', () => {
    const written = renderModelCard(data, { ...FACTS, pair: ['question', 'passage'] });
    expect(written).toContain(`tokenizer("the question", { text_pair: "the passage", truncation: true })`);
    expect(written).not.toContain('pipeline(');
  });

  it('shows how a language model is called, within its positions', () => {
    const written = renderModelCard(
      { ...data, outputs: [] },
      { ...FACTS, task: 'text-generation', maxLength: 16 },
    );
    expect(written).toContain("const write = await pipeline('text-generation', 'student', { dtype: 'q8' });");
    expect(written).toContain("await write('the beginning of a text', { max_new_tokens: 8 })");
    expect(written).toContain('A prompt and what it goes on with have 16 tokens together, at most.');
    expect(written).not.toContain('Texts are cut');
  });

  it('tells the licences of teachers from a hub beside its own', () => {
    const teacherLicences = [
      { model: 'someone/large', license: 'cc-by-nc-4.0' },
      { model: 'someone/other', license: null },
    ];
    const told = renderModelCard({ ...data, teacherLicences }, FACTS);
    expect(told).toContain(
      "- Its teacher someone/large is under the licence cc-by-nc-4.0; the student's is apache-2.0.",
    );
    expect(told).toContain('- Nothing says under which licence its teacher someone/other is;');
    expect(card).not.toContain('under the licence');
  });

  it('tells who taught what', () => {
    const { train } = data.data.splits;
    const taught = (labelled: number) =>
      /training texts, (.*)\./.exec(
        renderModelCard({ ...data, data: { ...data.data, labelled } }, FACTS),
      )?.[1];
    expect(taught(0)).toBe('all of them answered by the teacher alone');
    expect(taught(train - 1)).toMatch(/ of them with a label; the teacher's answers taught the rest$/);
    expect(taught(train)).toBe("each with a label and the teacher's answer");
  });

  it('tells of further files that ship, and how they are loaded', () => {
    const more = renderModelCard(syntheticReport({ q4: true }), FACTS);
    expect(more).toMatch(/\| \*\*Student, 4-bit weights\*\* \(`onnx\/model_q4.onnx`\) \|.*\| 402\skB/);
    expect(more).toContain("`'q4'` is 4-bit weights, `'q8'` is int8, `'fp32'` is float32");
    expect(frontMatter(more)['model-index']).toHaveLength(3);
  });

  it('says nothing of models that the run did not make', () => {
    const bare = renderModelCard(syntheticReport({ baseline: false, int8: false }), {
      license: 'mit',
      languages: [],
    });
    expect(bare).not.toMatch(/Baseline|Student, int8|quantized|q8/);
    expect(frontMatter(bare).datasets).toBeUndefined();
    expect(frontMatter(bare)).not.toHaveProperty('language');
    expect(frontMatter(bare)['model-index']).toHaveLength(1);
  });

  it('holds hostile names and recipes inside their places', () => {
    const hostile = renderModelCard(hostileReport(), FACTS);
    expect(frontMatter(hostile).license).toBe('apache-2.0');
    // The recipe has a fence and a heading of its own: neither is one of the card's.
    const outside = hostile.replace(/^---\n[\s\S]*?\n---\n/, '').replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '');
    expect(outside.match(/^#+ .*/gm)!.filter((line) => line.startsWith('## '))).toHaveLength(4);
    expect(outside).not.toMatch(/[^\\]<(script|img|svg)/);
  });
});
