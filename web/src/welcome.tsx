import {Arch} from './icons';
import type {Protection} from './trust';

type Step = [title: string, text: string];

const kSigned = 'The answer comes with a receipt. Open it under each answer to see what was ';

const kWords: Record<Protection, {title: string; lead: string; steps: Step[]}> = {
  real: {
    title: 'Ask in private',
    lead: 'Your question goes to one machine, after it has proved what it is.',
    steps: [
      [
        'Checked',
        'The machine proves its hardware, its program, its model. Your computer checks the proof.',
      ],
      [
        'Encrypted',
        'Only then does your text leave, under a key that nobody but that machine holds.',
      ],
      ['Signed', `${kSigned}verified.`],
    ],
  },
  development: {
    title: 'Try the whole path',
    lead: 'This is a development network: the steps are real, the protection is not.',
    steps: [
      [
        'Checked',
        'Every check runs as it would on real hardware, but on evidence that was simulated.',
      ],
      ['Encrypted', 'Your text goes encrypted to a machine whose memory nothing protects.'],
      ['Signed', `${kSigned}checked.`],
    ],
  },
  unknown: {
    title: 'Ask something',
    lead: 'Under each answer you find what was verified about it.',
    steps: [],
  },
};

export function Welcome({protection}: {protection: Protection}) {
  const {title: heading, lead, steps} = kWords[protection];
  return (
    <section class="welcome">
      <div class="emblem">
        <Arch size={40} />
      </div>
      <h2>{heading}</h2>
      <p class="lead">{lead}</p>
      {steps.length > 0 && (
        <ol class="steps">
          {steps.map(([title, text]) => (
            <li key={title}>
              <h3>{title}</h3>
              <p>{text}</p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
