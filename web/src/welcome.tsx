import {Arch} from './icons';

const kSteps: [title: string, text: string][] = [
  ['Checked', 'The machine proves its hardware, its program and its model. Your computer checks the proof.'],
  ['Sealed', 'Only then is your text encrypted, with a key that exists nowhere but in that machine.'],
  ['Signed', 'The answer comes with a receipt. Open it under each answer to see what was verified.'],
];

const kDevelopmentSteps: [title: string, text: string][] = [
  ['Checked', 'Every check runs as it would on real hardware, but on evidence that was simulated.'],
  ['Sealed', 'Your text is encrypted to a machine whose memory nothing protects.'],
  ['Signed', 'The answer comes with a receipt. Open it under each answer to see what was checked.'],
];

export function Welcome({development}: {development: boolean}) {
  return (
    <section class="welcome">
      <div class="emblem"><Arch size={40} /></div>
      <h2>Ask in private</h2>
      <p class="lead">{development ?
        'This is a development network: the steps are real, the protection is not.' :
        'Your question goes to one machine, after it has proved what it is.'}</p>
      <ol class="steps">
        {(development ? kDevelopmentSteps : kSteps).map(([title, text]) => (
          <li key={title}><h3>{title}</h3><p>{text}</p></li>))}
      </ol>
    </section>
  );
}
