import { isDistillReport, type ReportData } from '../../report-data.ts';
import { histogram } from '../charts/histogram.ts';
import { stackedBar } from '../charts/stacked-bar.ts';
import { capital, decimal } from '../format.ts';
import { html, type Markup } from '../markup.ts';

/** The data that went in. */
export function dataSection(report: ReportData): Markup {
  const hasTeacher = isDistillReport(report);
  const { data, unit } = report;
  const { train, validation, test } = data.splits;
  const taught = Math.max(0, train - data.labelled);
  return html`<section aria-labelledby="data">
<h2 id="data">The data</h2>
<p class="about"><bdi>${data.title}</bdi>: ${decimal(data.rows)} rows${report.labels.length > 0 && `, ${report.labels.length} classes`}. ${
    hasTeacher && data.labelled === 0
      ? `No label was seen: the ${decimal(taught)} training ${unit} were answered by the teacher`
      : `The student saw ${decimal(data.labelled)} labels; ${
          hasTeacher
            ? `the other ${decimal(taught)} training ${unit} were answered by the teacher alone`
            : `the other ${decimal(taught)} training ${unit} have none, and were not used`
        }`
  }.</p>
${stackedBar(`${capital(unit)} by split`, [
  { name: 'Training, labelled', value: data.labelled, shown: decimal(data.labelled), color: 'term-2' },
  {
    name: hasTeacher ? 'Training, by the teacher alone' : 'Training, not used',
    value: taught,
    shown: decimal(taught),
    color: 'teacher',
  },
  { name: 'Validation', value: validation, shown: decimal(validation), color: 'int8' },
  { name: 'Test', value: test, shown: decimal(test), color: 'baseline' },
])}
<div class="pair">
<table class="plain"><caption class="hidden">The data in numbers</caption><tbody>
${row(`Training ${unit}`, decimal(train))}
${row('of these with a label', decimal(data.labelled))}
${row(`Validation ${unit}`, decimal(validation))}
${row(`Test ${unit}`, decimal(test))}
${row('Duplicates left out', decimal(data.duplicates))}
${unit === 'texts' && row('Texts cut at the longest length', decimal(data.cut))}
${row('Broken rows', decimal(data.broken))}
</tbody></table>
${data.lengths.length > 0 && html`<figure><figcaption><h3>Length of the texts, in tokens</h3></figcaption>${histogram('Texts by length in tokens', data.lengths, 'tokens')}</figure>`}
</div>
${
  data.brokenExamples.length > 0 &&
  html`<details><summary>Broken rows: ${data.brokenExamples.length} of ${decimal(data.broken)}</summary><table class="plain"><thead><tr><th scope="col">Where</th><th scope="col">What</th></tr></thead><tbody>${data.brokenExamples.map(
    (broken) =>
      html`<tr><th scope="row"><bdi>${broken.where}</bdi></th><td><bdi>${broken.problem}</bdi></td></tr>`,
  )}</tbody></table></details>`
}
</section>`;
}

function row(name: string, value: string): Markup {
  return html`<tr><th scope="row">${name}</th><td class="end">${value}</td></tr>`;
}
