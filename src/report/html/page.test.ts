import { describe, expect, it } from 'vitest';
import type { DistillReport } from '../report-data.ts';
import { classModel, withClassAnswers } from '../testing/class-results.ts';
import { HOSTILE, hostileReport } from '../testing/hostile-report.ts';
import { syntheticReport } from '../testing/synthetic-report.ts';
import { renderReport } from './page.ts';
import { headline } from './sections/summary.ts';

describe('headline', () => {
  const withResult = (change: Partial<DistillReport['result']>): DistillReport => {
    const data = syntheticReport();
    return { ...data, result: { ...data.result, ...change } };
  };

  it('tells size, speed and what was kept', () => {
    expect(plain(headline(withResult({ retention: 0.964, speedup: 24.31 })))).toBe(
      'A 2.4 MB student answers 24 times faster and keeps 96.4 % of its teacher’s accuracy',
    );
  });

  it('is honest about a slower student, and proud of a better one', () => {
    expect(plain(headline(withResult({ speedup: 0.5 })))).toContain('answers 2.0 times slower');
    expect(plain(headline(withResult({ speedup: 1 })))).toContain('answers as fast as its teacher');
    const overTeacher = { difference: 0.012, low: 0.004, high: 0.02 };
    const better = plain(headline(withResult({ retention: 1.02, overTeacher })));
    expect(better).toMatch(/is right more often than its teacher \(\d\d\.\d %, the teacher \d\d\.\d %\)$/);
    expect(better).not.toContain('102');
    expect(plain(headline(withResult({ speedup: 0 })))).toContain('slower');
  });
});

describe('renderReport', () => {
  const page = renderReport(syntheticReport());

  it('is one page below 500 kB that asks for nothing', () => {
    expect(Buffer.byteLength(page)).toBeLessThan(500_000);
    expect(page).not.toMatch(/src=|href=(?!"#)|url\(|@import|https?:/);
    expect(page).toContain('default-src &#39;none&#39;');
    expect(page).not.toMatch(/ style="| on[a-z]+="/);
  });

  it('shows the numbers of all four models', () => {
    for (const title of ['Teacher', 'Student', 'Student int8', 'Baseline'])
      expect(page).toContain(`</span>${title}`);
    const { teacher, baseline } = syntheticReport().result;
    expect(plain(page)).toContain(`${((teacher?.accuracy ?? 0) * 100).toFixed(1)} % ±`);
    expect(plain(page)).toContain(`${((baseline?.macroF1 ?? 0) * 100).toFixed(1)} %`);
    expect(plain(page)).toContain('631 kB');
  });

  it('compares reasons where the objective teaches them', () => {
    expect(page).not.toContain('reasons');
    const data = syntheticReport();
    const student = { ...data.result.student, attributionCosine: 0.815 };
    const shown = plain(renderReport({ ...data, result: { ...data.result, student } }));
    expect(shown).toMatch(/Cosine of its reasons with the teacher’s.*0\.8[12]/s);
  });

  it('never writes undefined, NaN or null into the page', () => {
    const text = page.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '');
    expect(text).not.toMatch(/undefined|NaN|Infinity|\bnull\b|\[object/);
  });

  it('leaves the models out that a run does not have', () => {
    const more = renderReport(syntheticReport({ q4: true }));
    expect(more).toMatch(/In 4-bit weights it takes 402\skB/);
    expect(more).toContain('Student q4');
    const bare = renderReport(syntheticReport({ baseline: false, int8: false }));
    expect(bare).not.toContain('Student int8');
    expect(bare).not.toContain('>Baseline<');
    expect(bare).not.toMatch(/class="[^"]*\bbaseline\b[^"]*" cx/);
  });

  it('stands a run with nothing in it', () => {
    const data = syntheticReport({ baseline: false, int8: false });
    const zeros = data.labels.map(() => data.labels.map(() => 0));
    const model = classModel(0, 0, { throughput: 0, bytes: 0, parameters: 0 });
    const nothing = withClassAnswers(data, {
      confusion: { teacher: zeros, student: zeros, baseline: null },
      errors: {
        inherited: { count: 0, pairs: [] },
        own: { count: 0, teacherRight: 0, pairs: [] },
        corrected: 0,
        agreed: 0,
        total: 0,
      },
      disagreements: [],
      calibration: null,
    });
    const empty = renderReport({
      ...nothing,
      result: { ...data.result, teacher: model, student: model, retention: 0, speedup: 0, gate: null },
      curves: { student: [], baseline: null },
      validation: { student: [], baseline: null },
      data: {
        ...data.data,
        lengths: [],
        brokenExamples: [],
        splits: { train: 0, validation: 0, test: 0 },
        labelled: 0,
      },
    });
    expect(empty.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')).not.toMatch(/undefined|NaN|Infinity/);
    expect(empty).toContain('Teacher and student gave the same answer to every one of the test texts.');
  });

  it('marks where stages of the training begin', () => {
    expect(page.match(/class="beginning"/g)).toHaveLength(6);
    expect(page).toContain('>layers</text>');
    const data = syntheticReport();
    const student = data.curves.student.map(({ trainingStage: _, ...point }) => point);
    expect(renderReport({ ...data, curves: { ...data.curves, student } })).not.toContain('class="beginning"');
  });

  it('maps the training samples, with examples, where they were followed', () => {
    expect(page).toContain('Map of the training texts');
    expect(page.match(/class="place c\d"/g)?.length).toBe(syntheticReport().dynamics?.cells.length);
    const { dynamics: _, ...without } = syntheticReport();
    expect(renderReport(without)).not.toContain('Map of the training');
  });

  it('says when the int8 file does not ship', () => {
    const data = syntheticReport();
    const gate = { maxDrop: 0.01, drop: 0.031, passed: false, layers: [{ layer: 'conv/<w>', loss: 0.0312 }] };
    const shut = renderReport({ ...data, result: { ...data.result, gate } });
    expect(shut).toContain('The int8 file does not ship');
    expect(shut).toContain('it was kept back and does not ship');
    expect(shut).toContain('each layer adds in int8: conv/&lt;w&gt; (0.031).');
    expect(page).not.toContain('not ship');
  });

  it('shows everything that the student is compared with', () => {
    const shown = plain(renderReport(syntheticReport({ peers: true })));
    expect(shown).toContain('a linear model of the words, from the labels alone');
    expect(shown).toMatch(
      /Without the teacher, a linear model of the words.* reaches \d\d\.\d %: the teacher is worth/,
    );
    expect(shown).toContain('A linear model of the words, from the teacher’s answers, reaches');
  });

  it('shows some of many classes, and says so', () => {
    const data = syntheticReport();
    const labels = Array.from({ length: 150 }, (_, index) => `class ${index}`);
    const square = labels.map((_, row) => labels.map((_, column) => (row === column ? 5 : 1)));
    const confusion = { teacher: square, student: square, baseline: square };
    const many = renderReport({ ...withClassAnswers(data, { labels, confusion }), labels });
    expect(many).toContain('90 more are not shown');
    expect(many).toContain('Of 150 classes, the 32 with the most errors.');
    expect(Buffer.byteLength(many)).toBeLessThan(500_000);
  });

  it('escapes everything that comes from outside', () => {
    const hostile = renderReport(hostileReport());
    expect(hostile).not.toContain(HOSTILE);
    expect(hostile.match(/<script/g)).toHaveLength(1);
    expect(hostile.match(/<style/g)).toHaveLength(1);
    expect(hostile).not.toContain('<img');
    expect(hostile).not.toContain('<svg/onload');
    expect(hostile).not.toContain('\u0000');
    // As an attribute of its own; inside a quoted one it is text.
    expect(hostile).not.toMatch(/<[a-z][\w-]*(?:\s+[\w-]+(?:="[^"]*")?)*\s+onerror=/);
  });
});

/** With ordinary spaces, to compare with text as one types it. */
function plain(text: string): string {
  return text.replaceAll('\u202f', ' ');
}
