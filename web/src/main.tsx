import './base.css';
import './chat.css';
import './panel.css';

import {render} from 'preact';

import {App} from './app';

render(<App />, document.getElementById('root')!);
