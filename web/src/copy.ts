import {useState} from 'preact/hooks';

type CopyState = 'idle' | 'done' | 'refused';

const kShownMs = 2000;

// Copies text and says for a moment how that went.
export function use_copy(): [CopyState, (text: string) => void] {
  const [state, set_state] = useState<CopyState>('idle');
  const copy = async (text: string): Promise<void> => {
    const went = await navigator.clipboard.writeText(text).then(
      () => 'done',
      () => 'refused',
    );
    set_state(went as CopyState);
    setTimeout(() => set_state('idle'), kShownMs);
  };
  return [state, (text) => void copy(text)];
}
