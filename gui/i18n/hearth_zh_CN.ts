<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>AppDialog</name>
    <message>
        <source>OK</source>
        <translation>好</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>ChatHeader</name>
    <message>
        <source>Model that answers</source>
        <translation>回答的模型</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>How it answers: temperature, longest answer</source>
        <translation>回答方式：温度、最长回答</translation>
    </message>
</context>
<context>
    <name>ChatWelcome</name>
    <message>
        <source>What would you like to know?</source>
        <translation>想了解些什么？</translation>
    </message>
</context>
<context>
    <name>CodeBlock</name>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
</context>
<context>
    <name>CommandLine</name>
    <message>
        <source>Command</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Go to Models</source>
        <translation>前往“模型”</translation>
    </message>
    <message>
        <source>Write a message</source>
        <translation>输入消息</translation>
    </message>
    <message>
        <source>Your message</source>
        <translation>你的消息</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Go to Home</source>
        <translation>前往“主页”</translation>
    </message>
</context>
<context>
    <name>ConversationDelegate</name>
    <message>
        <source>Rename %1</source>
        <translation>重命名“%1”</translation>
    </message>
    <message>
        <source>Delete %1</source>
        <translation>删除“%1”</translation>
    </message>
</context>
<context>
    <name>ConversationList</name>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
    <message>
        <source>Search in conversations</source>
        <translation>在对话中搜索</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Conversations are kept here.</source>
        <translation>对话保存在这里。</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
    <message>
        <source>Delete this conversation?</source>
        <translation>删除此对话？</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>It is removed from this machine. This cannot be undone.</source>
        <translation>它将从本机删除，且无法撤销。</translation>
    </message>
    <message>
        <source>Rename the conversation</source>
        <translation>重命名对话</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Searching…</source>
        <translation>正在搜索……</translation>
    </message>
</context>
<context>
    <name>DataStep</name>
    <message>
        <source>What should it learn from?</source>
        <translation>它要从什么数据中学习？</translation>
    </message>
    <message>
        <source>File with examples</source>
        <translation>示例文件</translation>
    </message>
    <message>
        <source>/path/to/examples.jsonl</source>
        <translation>/路径/示例.jsonl</translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>正在检查……</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>可用</translation>
    </message>
    <message>
        <source>Please mend these lines, then add the file again</source>
        <translation>请修正以下各行，然后重新添加文件</translation>
    </message>
    <message>
        <source>The first examples, as the model will see them</source>
        <translation>前几个示例（模型将看到的样子）</translation>
    </message>
    <message>
        <source>Conversations, questions with answers or instructions as JSON or CSV, or plain text.</source>
        <translation>JSON 或 CSV 格式的对话、问答或指令，或者纯文本。</translation>
    </message>
    <message>
        <source>The file was copied to this box. Removing it also removes what past trainings kept of its texts.</source>
        <translation>该文件已复制到本机。移除它也会移除以往训练保留的其中文本。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Remove %1</source>
        <translation>移除 %1</translation>
    </message>
    <message>
        <source>Sending the file: %1 %</source>
        <translation>正在发送文件：%1 %</translation>
    </message>
    <message>
        <source>Sending the file</source>
        <translation>正在发送文件</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Remove %1?</source>
        <translation>删除 %1？</translation>
    </message>
    <message>
        <source>The examples are deleted from this box. Models that were trained on them stay. Your own file is not touched.</source>
        <translation>这些示例将从本机删除。用它们训练过的模型会保留，你自己的文件不受影响。</translation>
    </message>
</context>
<context>
    <name>FileChooser</name>
    <message>
        <source>Choose a file</source>
        <translation>选择文件</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>选择文件夹</translation>
    </message>
    <message>
        <source>Choose</source>
        <translation>选择</translation>
    </message>
</context>
<context>
    <name>FineTunePage</name>
    <message>
        <source>Fine-tune</source>
        <translation>微调</translation>
    </message>
    <message>
        <source>Teach a model from your own examples. Everything stays on this box.</source>
        <translation>用自己的示例教会模型。一切都留在本机。</translation>
    </message>
    <message>
        <source>New fine-tune</source>
        <translation>新建微调</translation>
    </message>
    <message>
        <source>All fine-tunes</source>
        <translation>所有微调</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>上一步</translation>
    </message>
    <message>
        <source>Start training</source>
        <translation>开始训练</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>继续</translation>
    </message>
</context>
<context>
    <name>FolderBrowser</name>
    <message>
        <source>One folder up</source>
        <translation>上一级文件夹</translation>
    </message>
    <message>
        <source>Nothing here that fits.</source>
        <translation>这里没有合适的文件。</translation>
    </message>
    <message>
        <source>No folders here.</source>
        <translation>这里没有文件夹。</translation>
    </message>
    <message>
        <source>Shown: %1</source>
        <translation>显示：%1</translation>
    </message>
</context>
<context>
    <name>FolderEntry</name>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
</context>
<context>
    <name>Format</name>
    <message>
        <source>%1 bytes</source>
        <translation>%1 字节</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min</source>
        <translation>%1 分钟</translation>
    </message>
    <message>
        <source>%1 h</source>
        <translation>%1 小时</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 小时 %2 分钟</translation>
    </message>
    <message>
        <source>%1 days</source>
        <translation>%1 天</translation>
    </message>
    <message>
        <source>%1 B parameters</source>
        <translation>%1 B 参数</translation>
    </message>
    <message>
        <source>%1 M parameters</source>
        <translation>%1 M 参数</translation>
    </message>
    <message>
        <source>%1 parameters</source>
        <translation>%1 个参数</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 词元/秒</translation>
    </message>
    <message>
        <source>just now</source>
        <translation>刚刚</translation>
    </message>
    <message>
        <source>%1 min ago</source>
        <translation>%1 分钟前</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>昨天</translation>
    </message>
</context>
<context>
    <name>HomePage</name>
    <message>
        <source>Welcome</source>
        <translation>欢迎</translation>
    </message>
    <message>
        <source>Hearth&apos;s service is not reachable</source>
        <translation>无法连接 Hearth 服务</translation>
    </message>
    <message>
        <source>Try again now</source>
        <translation>立即重试</translation>
    </message>
    <message>
        <source>Ask anything; your conversations are kept on this machine.</source>
        <translation>随便问吧；对话只保存在这台机器上。</translation>
    </message>
    <message>
        <source>Start %1 and chat in a moment.</source>
        <translation>启动 %1，片刻即可对话。</translation>
    </message>
    <message>
        <source>Install one from a stick or a folder to begin.</source>
        <translation>从 U 盘或文件夹安装一个即可开始。</translation>
    </message>
    <message>
        <source>Start chatting</source>
        <translation>开始对话</translation>
    </message>
    <message>
        <source>Start %1</source>
        <translation>启动 %1</translation>
    </message>
    <message>
        <source>Install a model</source>
        <translation>安装模型</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>Graphics</source>
        <translation>显卡</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Storage</source>
        <translation>存储</translation>
    </message>
    <message>
        <source>Running now</source>
        <translation>正在运行</translation>
    </message>
    <message>
        <source>Nothing is running. Models that you start appear here.</source>
        <translation>没有正在运行的内容。启动的模型会显示在这里。</translation>
    </message>
    <message>
        <source>This box is called %1. Your models run here, on your own hardware, and nothing leaves it.</source>
        <translation>本机名为 %1。模型在您自己的硬件上运行，数据不会离开本机。</translation>
    </message>
</context>
<context>
    <name>JobRow</name>
    <message>
        <source>Cancel %1</source>
        <translation>取消：%1</translation>
    </message>
</context>
<context>
    <name>LinkDialog</name>
    <message>
        <source>Open this link?</source>
        <translation>打开此链接？</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>A model wrote this link. It leads out of this box, to:</source>
        <translation>此链接由模型写出，会离开本机，前往：</translation>
    </message>
</context>
<context>
    <name>Main</name>
    <message>
        <source>Hearth</source>
        <translation>Hearth</translation>
    </message>
</context>
<context>
    <name>MessageDelegate</name>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Edit and ask again</source>
        <translation>编辑并重新提问</translation>
    </message>
    <message>
        <source>Answer again</source>
        <translation>重新回答</translation>
    </message>
</context>
<context>
    <name>MessageEditor</name>
    <message>
        <source>Your message</source>
        <translation>你的消息</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>重新提问</translation>
    </message>
</context>
<context>
    <name>MessageView</name>
    <message>
        <source>Messages</source>
        <translation>消息</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>启动</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Remove %1</source>
        <translation>移除 %1</translation>
    </message>
    <message>
        <source>Stop %1 before removing it</source>
        <translation>移除前请先停止 %1</translation>
    </message>
    <message>
        <source>Export %1 to a stick or folder…</source>
        <translation>将 %1 导出到 U 盘或文件夹……</translation>
    </message>
</context>
<context>
    <name>ModelStep</name>
    <message>
        <source>Which model should learn?</source>
        <translation>让哪个模型学习？</translation>
    </message>
    <message>
        <source>There is no model to train. Install one first.</source>
        <translation>没有可训练的模型。请先安装一个。</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>添加模型</translation>
    </message>
    <message>
        <source>No models yet</source>
        <translation>还没有模型</translation>
    </message>
    <message>
        <source>Plug in a stick with model packs, or add a folder or file that you already have.</source>
        <translation>插入带有模型包的 U 盘，或添加已有的文件夹或文件。</translation>
    </message>
    <message>
        <source>Look for packs</source>
        <translation>查找模型包</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Folder or file</source>
        <translation>文件夹或文件</translation>
    </message>
    <message>
        <source>/path/to/model</source>
        <translation>/路径/模型</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Name (left empty: from the path)</source>
        <translation>名称（留空则取自路径）</translation>
    </message>
    <message>
        <source>Remove %1?</source>
        <translation>移除 %1？</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Export %1</source>
        <translation>导出 %1</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>The model is written as a pack into this folder, on a stick for example. Another box installs it from there in Updates.</source>
        <translation>模型会以模型包的形式写入此文件夹（例如 U 盘上），其他机器可在“更新”页从中安装。</translation>
    </message>
    <message>
        <source>The model is written as a pack into this folder of the box. Another box installs it from there in Updates.</source>
        <translation>模型会以模型包的形式写入那台机器上的此文件夹，其他机器可在“更新”页从中安装。</translation>
    </message>
    <message>
        <source>Folder to write to</source>
        <translation>目标文件夹</translation>
    </message>
    <message>
        <source>/media/stick/%1</source>
        <translation>/media/stick/%1</translation>
    </message>
    <message>
        <source>The pack is signed if the service was given a signing key. Other boxes refuse unsigned packs.</source>
        <translation>如果服务配置了签名密钥，模型包会被签名。其他机器会拒绝未签名的模型包。</translation>
    </message>
    <message>
        <source>Choose its base model…</source>
        <translation>选择它的基础模型…</translation>
    </message>
    <message>
        <source>A folder with a model pack, a Hugging Face folder, a PEFT adapter, or a .gguf or .safetensors file.</source>
        <translation>含有模型包的文件夹、Hugging Face 文件夹、PEFT 适配器，或 .gguf、.safetensors 文件。</translation>
    </message>
    <message>
        <source>The path on the box of a model pack, a Hugging Face folder, a PEFT adapter, or a .gguf or .safetensors file.</source>
        <translation>主机上模型包、Hugging Face 文件夹、PEFT 适配器或 .gguf、.safetensors 文件的路径。</translation>
    </message>
    <message>
        <source>An adapter belongs to</source>
        <translation>适配器所属的模型</translation>
    </message>
    <message>
        <source>Base model of an adapter</source>
        <translation>适配器的基础模型</translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Close this message</source>
        <translation>关闭此消息</translation>
    </message>
</context>
<context>
    <name>PackCard</name>
    <message>
        <source>Install</source>
        <translation>安装</translation>
    </message>
</context>
<context>
    <name>PathField</name>
    <message>
        <source>Browse…</source>
        <translation>浏览……</translation>
    </message>
</context>
<context>
    <name>PresetStep</name>
    <message>
        <source>How thorough should it be?</source>
        <translation>要训练到什么程度？</translation>
    </message>
    <message>
        <source>What to expect</source>
        <translation>预计情况</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Work</source>
        <translation>工作量</translation>
    </message>
    <message>
        <source>Name of the new model</source>
        <translation>新模型的名称</translation>
    </message>
    <message>
        <source>Left empty: derived from the model and the data</source>
        <translation>留空则由模型和数据命名</translation>
    </message>
    <message>
        <source>Trained on</source>
        <translation>用于训练</translation>
    </message>
    <message>
        <source>Lengths</source>
        <translation>长度</translation>
    </message>
    <message>
        <source>What about examples that are too long?</source>
        <translation>过长的示例怎么办？</translation>
    </message>
    <message>
        <source>Leave them out</source>
        <translation>不用它们</translation>
    </message>
    <message>
        <source>They are not learned from.</source>
        <translation>不从中学习。</translation>
    </message>
    <message>
        <source>Keep their end</source>
        <translation>保留结尾</translation>
    </message>
    <message>
        <source>They lose their beginning, so that the answer stays whole. What is left out even so has an answer longer than a row.</source>
        <translation>去掉开头，使回答保持完整。回答本身就超过一行的示例仍会被略去。</translation>
    </message>
    <message>
        <source>Training starts only when every example fits; the first that does not is named.</source>
        <translation>每个示例都放得下时才开始训练；第一个放不下的会被指出。</translation>
    </message>
    <message>
        <source>Refuse to train</source>
        <translation>有过长示例就不训练</translation>
    </message>
</context>
<context>
    <name>SampleCard</name>
    <message>
        <source>Before</source>
        <translation>训练前</translation>
    </message>
    <message>
        <source>After</source>
        <translation>训练后</translation>
    </message>
    <message>
        <source>In the data</source>
        <translation>数据中的答案</translation>
    </message>
</context>
<context>
    <name>SamplingDialog</name>
    <message>
        <source>How it answers in this conversation</source>
        <translation>在此对话中如何回答</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>the model&apos;s own (0 to 2)</source>
        <translation>模型自带（0 到 2）</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>the model&apos;s own (0 to 1)</source>
        <translation>模型自带（0 到 1）</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>最长回答</translation>
    </message>
    <message>
        <source>as long as it gets (tokens)</source>
        <translation>不限（词元数）</translation>
    </message>
    <message>
        <source>A temperature of 0 gives the most likely words, higher ones more variety. Top-p leaves out unlikely words.</source>
        <translation>温度为 0 时总选最可能的词，越高变化越多。Top-p 会排除不太可能的词。</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>This desktop normally works with the box it runs on. It can also work with another Hearth box on your network.</source>
        <translation>本桌面通常使用它所在的主机，也可以使用网络中的另一台 Hearth 主机。</translation>
    </message>
    <message>
        <source>Address of another box</source>
        <translation>另一台主机的地址</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>连接</translation>
    </message>
    <message>
        <source>Use this box</source>
        <translation>使用本机</translation>
    </message>
    <message>
        <source>Keyboard</source>
        <translation>键盘</translation>
    </message>
    <message>
        <source>Go to a page</source>
        <translation>前往页面</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>New line</source>
        <translation>换行</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>停止回答</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>About</source>
        <translation>关于</translation>
    </message>
    <message>
        <source>Hearth desktop %1</source>
        <translation>Hearth 桌面 %1</translation>
    </message>
    <message>
        <source>Connected to %1 with %2</source>
        <translation>已连接到 %1，%2</translation>
    </message>
    <message>
        <source>Not connected to a box</source>
        <translation>未连接到主机</translation>
    </message>
    <message>
        <source>Free software under the Apache License 2.0</source>
        <translation>自由软件，采用 Apache 许可证 2.0</translation>
    </message>
</context>
<context>
    <name>SideBar</name>
    <message>
        <source>Home</source>
        <translation>主页</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Fine-tune</source>
        <translation>微调</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
</context>
<context>
    <name>StepBar</name>
    <message>
        <source>Step %1 of 4</source>
        <translation>第 %1 步，共 4 步</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>方案</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>训练</translation>
    </message>
</context>
<context>
    <name>Steps</name>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>waiting to start</source>
        <translation>等待启动</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>starting again in {seconds} s</source>
        <translation>{seconds} 秒后重新启动</translation>
    </message>
    <message>
        <source>stopping</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>stopping the engine</source>
        <translation>正在停止引擎</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>answering</source>
        <translation>可以应答</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>it cannot be served as it is; deploy it again when the cause is gone</source>
        <translation>无法按现状提供服务；排除原因后请重新部署</translation>
    </message>
    <message>
        <source>gave up after {starts} starts; deploy it again when the cause is gone</source>
        <translation>启动 {starts} 次后放弃；排除原因后请重新部署</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>cancelled before it began</source>
        <translation>开始前已取消</translation>
    </message>
    <message>
        <source>taken up again after a restart of the service</source>
        <translation>服务重启后已继续</translation>
    </message>
    <message>
        <source>goes on when the service starts again</source>
        <translation>服务再次启动后继续</translation>
    </message>
    <message>
        <source>checking the pack</source>
        <translation>正在检查模型包</translation>
    </message>
    <message>
        <source>waiting for the stick to be mounted for writing</source>
        <translation>正在等待 U 盘以可写方式挂载</translation>
    </message>
    <message>
        <source>copying and checking ({done} of {total} MiB)</source>
        <translation>正在复制并校验（{done} / {total} MiB）</translation>
    </message>
    <message>
        <source>copying ({done} of {total} MiB)</source>
        <translation>正在复制（{done} / {total} MiB）</translation>
    </message>
    <message>
        <source>writing ({done} of {total} MiB)</source>
        <translation>正在写入（{done} / {total} MiB）</translation>
    </message>
    <message>
        <source>adding the model to the store</source>
        <translation>正在将模型加入模型库</translation>
    </message>
    <message>
        <source>adding the model to the store ({done} of {total} MiB)</source>
        <translation>正在将模型加入模型库（{done} / {total} MiB）</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>正在加载模型</translation>
    </message>
    <message>
        <source>reading the data</source>
        <translation>正在读取数据</translation>
    </message>
    <message>
        <source>preparing weights and optimizer</source>
        <translation>正在准备权重和优化器</translation>
    </message>
    <message>
        <source>measuring the model before training</source>
        <translation>正在测量训练前的模型</translation>
    </message>
    <message>
        <source>training: step {step} of {of}</source>
        <translation>训练中：第 {step} 步，共 {of} 步</translation>
    </message>
    <message>
        <source>{death}; starting again from the last checkpoint</source>
        <translation>{death}；正在从上一个检查点重新开始</translation>
    </message>
    <message>
        <source>measuring the trained model</source>
        <translation>正在测量训练后的模型</translation>
    </message>
    <message>
        <source>writing the result</source>
        <translation>正在写入结果</translation>
    </message>
    <message>
        <source>comparing the trainer&apos;s answers with the server&apos;s</source>
        <translation>正在比较训练器与服务器的回答</translation>
    </message>
    <message>
        <source>answering the held-out questions</source>
        <translation>正在回答留出的问题</translation>
    </message>
    <message>
        <source>from the pack {from}</source>
        <translation>来自模型包 {from}</translation>
    </message>
    <message>
        <source>imported from {from}</source>
        <translation>导入自 {from}</translation>
    </message>
    <message>
        <source>trained here, job {job}</source>
        <translation>在本机训练，任务 {job}</translation>
    </message>
    <message>
        <source>came with the box</source>
        <translation>随机自带</translation>
    </message>
    <message>
        <source>the memory of the box was used up; use a smaller model, a shorter context or shorter rows</source>
        <translation>主机的内存已用完；请使用更小的模型、更短的上下文或更短的行</translation>
    </message>
    <message>
        <source>{needed} MiB of memory are needed, {available} MiB are free; stop a running model, or use a smaller one</source>
        <translation>需要 {needed} MiB 内存，可用 {available} MiB；请停止一个正在运行的模型，或使用更小的模型</translation>
    </message>
    <message>
        <source>the disk is full; free some space and start it again</source>
        <translation>磁盘已满；请腾出一些空间后重新开始</translation>
    </message>
    <message>
        <source>the disk that holds {path} is full; free some space there and start it again</source>
        <translation>{path} 所在的磁盘已满；请在该磁盘上腾出一些空间后重新开始</translation>
    </message>
    <message>
        <source>training diverged at step {step}: the loss became {loss}; start it again with a lower learning rate</source>
        <translation>训练在第 {step} 步发散：损失变成了 {loss}；请用更低的学习率重新开始</translation>
    </message>
    <message>
        <source>the program that did the work crashed ({signal})</source>
        <translation>执行任务的程序崩溃了（{signal}）</translation>
    </message>
    <message>
        <source>something outside of Hearth ended the program that did the work</source>
        <translation>Hearth 之外的程序结束了执行任务的程序</translation>
    </message>
    <message>
        <source>the program that did the work gave up: {words}</source>
        <translation>执行任务的程序放弃了：{words}</translation>
    </message>
    <message>
        <source>the program that did the work did not answer any more, and was stopped</source>
        <translation>执行任务的程序不再响应，已被停止</translation>
    </message>
    <message>
        <source>the adapter&apos;s base model is not known here; choose the one it belongs to, or add it first</source>
        <translation>这里没有该适配器的基础模型；请选择它所属的模型，或先添加基础模型</translation>
    </message>
    <message>
        <source>there is no model named {model} any more</source>
        <translation>已经没有名为 {model} 的模型</translation>
    </message>
</context>
<context>
    <name>TableBlock</name>
    <message>
        <source>Copy the table</source>
        <translation>复制表格</translation>
    </message>
</context>
<context>
    <name>ThinkingDots</name>
    <message>
        <source>The model is thinking</source>
        <translation>模型正在思考</translation>
    </message>
</context>
<context>
    <name>ThoughtBox</name>
    <message>
        <source>Hide what the model thought</source>
        <translation>隐藏模型的思考</translation>
    </message>
    <message>
        <source>Show what the model thought</source>
        <translation>显示模型的思考</translation>
    </message>
</context>
<context>
    <name>TrainingList</name>
    <message>
        <source>Your fine-tunes</source>
        <translation>你的微调</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Nothing trained yet</source>
        <translation>还没有训练</translation>
    </message>
    <message>
        <source>Bring a file with questions and answers. In four steps you have a model that knows them, see how its answers changed, and chat with it.</source>
        <translation>准备一个含问题与答案的文件。只需四步，就能得到一个掌握这些内容的模型，对比它的回答有何变化，并与它对话。</translation>
    </message>
</context>
<context>
    <name>UpdatesPage</name>
    <message>
        <source>Updates</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>重新查找</translation>
    </message>
    <message>
        <source>Start it</source>
        <translation>启动它</translation>
    </message>
    <message>
        <source>Plug in a stick with model packs</source>
        <translation>插入带有模型包的 U 盘</translation>
    </message>
    <message>
        <source>It is found by itself. No internet is needed: every pack carries a signature that this box checks.</source>
        <translation>会自动识别，无需联网：每个模型包都带有签名，由本机校验。</translation>
    </message>
    <message>
        <source>Look into a folder</source>
        <translation>查看文件夹</translation>
    </message>
    <message>
        <source>Folder with packs</source>
        <translation>含模型包的文件夹</translation>
    </message>
    <message>
        <source>/path/to/packs</source>
        <translation>/路径/模型包</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Checking signatures and checksums…</source>
        <translation>正在校验签名和校验和……</translation>
    </message>
</context>
<context>
    <name>WatchStep</name>
    <message>
        <source>%1 is ready</source>
        <translation>%1 已就绪</translation>
    </message>
    <message>
        <source>Held-out loss %1.</source>
        <translation>留出集损失：%1。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动……</translation>
    </message>
    <message>
        <source>Chat with it</source>
        <translation>与它对话</translation>
    </message>
    <message>
        <source>Start and chat</source>
        <translation>启动并对话</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>损失</translation>
    </message>
    <message>
        <source>training</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>held-out</source>
        <translation>留出集</translation>
    </message>
    <message>
        <source>The curve begins with the first step. Lower is better: the model is less surprised by the right answer.</source>
        <translation>曲线从第一步开始。越低越好：模型对正确答案越不意外。</translation>
    </message>
    <message>
        <source>Before and after</source>
        <translation>训练前后对比</translation>
    </message>
    <message>
        <source>%1 at the last step</source>
        <translation>最后一步 %1</translation>
    </message>
    <message>
        <source>now %1</source>
        <translation>当前 %1</translation>
    </message>
    <message>
        <source>training step</source>
        <translation>训练步数</translation>
    </message>
</context>
<context>
    <name>hearth::gui::Chat</name>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Connecting to the service…</source>
        <translation>正在连接服务……</translation>
    </message>
    <message>
        <source>The service is not reachable. What to do is on the Home page.</source>
        <translation>无法连接服务。处理办法见“主页”。</translation>
    </message>
    <message>
        <source>%1 is starting; one moment.</source>
        <translation>%1 正在启动，请稍候。</translation>
    </message>
    <message>
        <source>No model is running. Start one on the Models page.</source>
        <translation>没有正在运行的模型。请在“模型”页启动一个。</translation>
    </message>
    <message>
        <source>How do I install a model pack from a USB stick?</source>
        <translation>怎样从 U 盘安装模型包？</translation>
    </message>
    <message>
        <source>What can you help me with?</source>
        <translation>你能帮我做什么？</translation>
    </message>
    <message>
        <source>How do I fine-tune a model on my own data?</source>
        <translation>怎样用自己的数据微调模型？</translation>
    </message>
    <message>
        <source>Tell me a short story.</source>
        <translation>给我讲一个小故事。</translation>
    </message>
    <message>
        <source>This conversation cannot be saved: %1</source>
        <translation>无法保存此对话：%1</translation>
    </message>
    <message>
        <source>Another window of Hearth is answering in this conversation. Wait for it, or start a new chat.</source>
        <translation>另一个 Hearth 窗口正在此对话中回答。请等它结束，或开始新对话。</translation>
    </message>
    <message>
        <source>The temperature is a number from 0 to 2.</source>
        <translation>温度是 0 到 2 之间的数。</translation>
    </message>
    <message>
        <source>Top-p is a number above 0, and at most 1.</source>
        <translation>Top-p 是大于 0 且不超过 1 的数。</translation>
    </message>
    <message>
        <source>The longest answer is a number of tokens, 1 or more.</source>
        <translation>最长回答是词元数，至少为 1。</translation>
    </message>
</context>
<context>
    <name>hearth::gui::Connection</name>
    <message>
        <source>Connected</source>
        <translation>已连接</translation>
    </message>
    <message>
        <source>Service not reachable</source>
        <translation>无法连接服务</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>正在连接……</translation>
    </message>
    <message>
        <source>Hearth&apos;s service does not answer on this box. It may still be starting, or it was stopped. Start it with the command below; this window connects by itself as soon as it answers.</source>
        <translation>本机的 Hearth 服务没有应答，可能仍在启动，也可能已停止。请用下面的命令启动；服务应答后，本窗口会自动连接。</translation>
    </message>
    <message>
        <source>The box at %1 does not answer. Check that it is switched on, that both machines are on the same network and that the address in Settings is right.</source>
        <translation>位于 %1 的主机没有应答。请检查它是否已开机、两台机器是否在同一网络，以及“设置”中的地址是否正确。</translation>
    </message>
    <message>
        <source>This is not an address. Write it like http://192.168.1.20:8080</source>
        <translation>这不是有效地址。请写成 http://192.168.1.20:8080 的形式</translation>
    </message>
</context>
<context>
    <name>hearth::gui::ConversationListModel</name>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
</context>
<context>
    <name>hearth::gui::DatasetListModel</name>
    <message>
        <source>conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>instructions with answers</source>
        <translation>指令与回答</translation>
    </message>
    <message>
        <source>plain text</source>
        <translation>纯文本</translation>
    </message>
    <message>
        <source>%1 examples</source>
        <translation>%1 个示例</translation>
    </message>
    <message>
        <source>1 problem found</source>
        <translation>发现 1 个问题</translation>
    </message>
    <message>
        <source>%1 problems found</source>
        <translation>发现 %1 个问题</translation>
    </message>
    <message>
        <source>questions with answers</source>
        <translation>问答</translation>
    </message>
</context>
<context>
    <name>hearth::gui::DeploymentListModel</name>
    <message>
        <source>Running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>Restarting</source>
        <translation>正在重启</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>%1 of memory</source>
        <translation>占用内存 %1</translation>
    </message>
</context>
<context>
    <name>hearth::gui::FakeClient</name>
    <message>
        <source>a made-up box, without a service</source>
        <translation>虚拟的机器，没有连接服务</translation>
    </message>
    <message>
        <source>no answer from Hearth&apos;s service</source>
        <translation>Hearth 服务没有响应</translation>
    </message>
</context>
<context>
    <name>hearth::gui::FineTune</name>
    <message>
        <source>Choose a file first.</source>
        <translation>请先选择文件。</translation>
    </message>
    <message>
        <source>Cannot open %1: %2</source>
        <translation>无法打开 %1：%2</translation>
    </message>
    <message>
        <source>About %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>%1 steps, %2 tokens a pass</source>
        <translation>%1 步，每遍 %2 个词元</translation>
    </message>
    <message>
        <source>This needs more memory than is free. Stop a running model, or choose a smaller one.</source>
        <translation>所需内存超过可用内存。请停止一个正在运行的模型，或选择更小的模型。</translation>
    </message>
    <message>
        <source>Predicted from the measured speed of this box. You can go on working while it trains.</source>
        <translation>根据本机实测速度预测。训练期间可以继续工作。</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message>
        <source>Computed on the CPU; no GPU is used: %1</source>
        <translation>在 CPU 上计算；未使用 GPU：%1</translation>
    </message>
    <message>
        <source>Computed on %1</source>
        <translation>在 %1 上计算</translation>
    </message>
    <message>
        <source>Before training: %1</source>
        <translation>训练前：%1</translation>
    </message>
    <message>
        <source>%1 % better</source>
        <translation>改善 %1 %</translation>
    </message>
    <message>
        <source>%1 % worse</source>
        <translation>变差 %1 %</translation>
    </message>
    <message>
        <source>%1 before, %2 after: %3</source>
        <translation>训练前 %1，训练后 %2：%3</translation>
    </message>
    <message>
        <source>%1; %2 are free</source>
        <translation>%1；可用 %2</translation>
    </message>
    <message>
        <source>%1 examples, %2 different ones.</source>
        <translation>%1 个示例，其中 %2 个不相同。</translation>
    </message>
    <message>
        <source>Half of the examples have at most %1 characters, the longest has %2.</source>
        <translation>一半示例不超过 %1 个字符，最长的有 %2 个。</translation>
    </message>
    <message>
        <source>%1 (%2 times)</source>
        <translation>%1（%2 次）</translation>
    </message>
    <message>
        <source>Not used: %1.</source>
        <translation>未使用：%1。</translation>
    </message>
    <message>
        <source>%1 of %2 examples, %3 answer tokens</source>
        <translation>%2 个示例中的 %1 个，%3 个回答词元</translation>
    </message>
    <message>
        <source>none held out: nothing will be measured</source>
        <translation>没有留出示例：无法衡量效果</translation>
    </message>
    <message>
        <source>%1 held out to measure</source>
        <translation>留出 %1 个用于衡量</translation>
    </message>
    <message>
        <source>%1; %2</source>
        <translation>%1；%2</translation>
    </message>
    <message>
        <source>Half have at most %1 tokens, the longest %2; a row holds %3.</source>
        <translation>一半不超过 %1 个词元，最长 %2 个；一行可容纳 %3 个。</translation>
    </message>
    <message>
        <source>%1 are longer and left out.</source>
        <translation>%1 个更长，不参与训练。</translation>
    </message>
    <message>
        <source>%1 are longer and lose their beginning.</source>
        <translation>%1 个更长，开头被截去。</translation>
    </message>
    <message>
        <source>%1 go on in another row.</source>
        <translation>%1 个延续到另一行。</translation>
    </message>
    <message>
        <source>%1. The best step (%2) is kept; the last one had %3</source>
        <translation>%1。保留最好的一步（第 %2 步）；最后一步为 %3</translation>
    </message>
    <message>
        <source>Working it out…</source>
        <translation>正在计算……</translation>
    </message>
    <message>
        <source>There is no estimate. Training can be started without one.</source>
        <translation>没有预估结果。可以不经预估直接开始训练。</translation>
    </message>
    <message>
        <source>There is no estimate, and training could not be started.</source>
        <translation>没有预估结果，也无法开始训练。</translation>
    </message>
    <message>
        <source>No example is longer than a row of %1 tokens.</source>
        <translation>没有示例超过一行（%1 个词元）。</translation>
    </message>
    <message>
        <source>%1 of %2 examples are longer than a row of %3 tokens.</source>
        <translation>%2 个示例中有 %1 个超过一行（%3 个词元）。</translation>
    </message>
    <message>
        <source>Training cannot be started while examples are too long: shorten them and add the file again, or choose otherwise.</source>
        <translation>有过长的示例，无法开始训练：请缩短它们并重新添加文件，或改选其他做法。</translation>
    </message>
    <message>
        <source>%1 are longer.</source>
        <translation>%1 个更长。</translation>
    </message>
</context>
<context>
    <name>hearth::gui::FolderModel</name>
    <message>
        <source>This folder cannot be looked into.</source>
        <translation>无法查看此文件夹。</translation>
    </message>
    <message>
        <source>Only the first %1 entries are shown; type the path instead.</source>
        <translation>只显示前 %1 项；请改为输入路径。</translation>
    </message>
    <message>
        <source>Home folder</source>
        <translation>主文件夹</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
</context>
<context>
    <name>hearth::gui::Home</name>
    <message>
        <source>One model is running and ready to chat.</source>
        <translation>有一个模型正在运行，可以开始对话。</translation>
    </message>
    <message>
        <source>%1 models are running and ready to chat.</source>
        <translation>有 %1 个模型正在运行，可以开始对话。</translation>
    </message>
    <message>
        <source>A model is on its way.</source>
        <translation>模型正在准备中。</translation>
    </message>
    <message>
        <source>No model is installed yet.</source>
        <translation>尚未安装模型。</translation>
    </message>
    <message>
        <source>No model is running yet.</source>
        <translation>尚无模型在运行。</translation>
    </message>
    <message>
        <source>%1 cores</source>
        <translation>%1 核</translation>
    </message>
    <message>
        <source>No GPU found; models run on the CPU</source>
        <translation>未发现 GPU；模型在 CPU 上运行</translation>
    </message>
    <message>
        <source>%1 (in use by running models)</source>
        <translation>%1（正在供运行中的模型使用）</translation>
    </message>
    <message>
        <source>%1 (not used: %2)</source>
        <translation>%1（未使用：%2）</translation>
    </message>
    <message>
        <source>Hearth %1</source>
        <translation>Hearth %1</translation>
    </message>
    <message>
        <source>%1 used of %2, %3 free</source>
        <translation>已用 %1，共 %2，剩余 %3</translation>
    </message>
</context>
<context>
    <name>hearth::gui::HttpChatStream</name>
    <message>
        <source>the answer broke off: the model&apos;s engine stopped; try again</source>
        <translation>回答中断了：模型的引擎已停止；请重试</translation>
    </message>
    <message>
        <source>the service sent a chunk that is not JSON; try again</source>
        <translation>服务发来的数据块不是 JSON；请重试</translation>
    </message>
    <message>
        <source>this conversation has become longer than the model can read; begin a new chat, or start the model with a longer context</source>
        <translation>这个对话已超过模型能读取的长度；请开始新的对话，或以更长的上下文启动模型</translation>
    </message>
    <message>
        <source>this model does not run any more; start it on the Models page, or choose another</source>
        <translation>这个模型已不再运行；请在“模型”页启动它，或选择其他模型</translation>
    </message>
</context>
<context>
    <name>hearth::gui::HttpClient</name>
    <message>
        <source>the service closed the connection</source>
        <translation>服务关闭了连接</translation>
    </message>
    <message>
        <source>cannot open %1: %2</source>
        <translation>无法打开 %1：%2</translation>
    </message>
</context>
<context>
    <name>hearth::gui::HttpExchange</name>
    <message>
        <source>the service at %1 did not answer within %2 s; try again</source>
        <translation>%1 的服务在 %2 秒内没有响应；请重试</translation>
    </message>
    <message>
        <source>%1 became shorter or could not be read while it was sent; try again</source>
        <translation>%1 在发送过程中变短或无法读取；请重试</translation>
    </message>
    <message>
        <source>no answer from Hearth&apos;s service at %1 (%2)</source>
        <translation>%1 的 Hearth 服务没有响应（%2）</translation>
    </message>
</context>
<context>
    <name>hearth::gui::JobListModel</name>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message>
        <source>Fine-tune %1</source>
        <translation>微调 %1</translation>
    </message>
    <message>
        <source>Install %1</source>
        <translation>安装 %1</translation>
    </message>
    <message>
        <source>Import %1</source>
        <translation>导入 %1</translation>
    </message>
    <message>
        <source>Export %1</source>
        <translation>导出 %1</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>In progress</source>
        <translation>进行中</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>made the model %1</source>
        <translation>得到模型 %1</translation>
    </message>
    <message>
        <source>Install a model pack</source>
        <translation>安装模型包</translation>
    </message>
    <message>
        <source>Import a model</source>
        <translation>导入模型</translation>
    </message>
</context>
<context>
    <name>hearth::gui::LossCurve</name>
    <message>
        <source>No steps yet.</source>
        <translation>尚无训练步。</translation>
    </message>
    <message>
        <source>Loss from %1 at the start to %2 at step %3.</source>
        <translation>损失从开始时的 %1 降到第 %3 步的 %2。</translation>
    </message>
</context>
<context>
    <name>hearth::gui::MessageListModel</name>
    <message>
        <source>You stopped this answer.</source>
        <translation>你停止了此回答。</translation>
    </message>
    <message>
        <source>The answer reached its length limit.</source>
        <translation>回答达到长度上限。</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>此回答被中断。</translation>
    </message>
    <message>
        <source>Thinking… %1</source>
        <translation>正在思考…… %1</translation>
    </message>
    <message>
        <source>Thought for a moment</source>
        <translation>思考了片刻</translation>
    </message>
    <message>
        <source>Thought for %1</source>
        <translation>思考了 %1</translation>
    </message>
</context>
<context>
    <name>hearth::gui::ModelLibrary</name>
    <message>
        <source>%1 failed: %2</source>
        <translation>%1 失败：%2</translation>
    </message>
    <message>
        <source>Models use %1; %2 are free</source>
        <translation>模型占用 %1；可用空间 %2</translation>
    </message>
    <message>
        <source>Choose a folder or file first.</source>
        <translation>请先选择文件夹或文件。</translation>
    </message>
    <message>
        <source>This folder holds %1 packs; choose in Updates.</source>
        <translation>此文件夹含 %1 个模型包；请在“更新”页选择。</translation>
    </message>
    <message>
        <source>This frees %1. It cannot be undone.</source>
        <translation>将释放 %1，且无法撤销。</translation>
    </message>
    <message>
        <source>It came with the box; you can install it again from its pack.</source>
        <translation>它随机附带；可以用其模型包重新安装。</translation>
    </message>
    <message>
        <source>%1 is written to %2.</source>
        <translation>%1 已写入 %2。</translation>
    </message>
    <message>
        <source>Choose a folder first.</source>
        <translation>请先选择文件夹。</translation>
    </message>
    <message>
        <source>%1 needs more memory than is free. Stop another model, or choose a smaller one.</source>
        <translation>%1 需要的内存超过可用内存。请停止另一个模型，或选择更小的模型。</translation>
    </message>
    <message>
        <source>%1 is not running any more.</source>
        <translation>%1 已不在运行。</translation>
    </message>
    <message>
        <source>the model that it names</source>
        <translation>它自己写明的模型</translation>
    </message>
</context>
<context>
    <name>hearth::gui::ModelListModel</name>
    <message>
        <source>context %1</source>
        <translation>上下文 %1</translation>
    </message>
    <message>
        <source>came with the box</source>
        <translation>随机附带</translation>
    </message>
    <message>
        <source>fine-tuned from %1</source>
        <translation>由 %1 微调而来</translation>
    </message>
    <message>
        <source>licence unknown</source>
        <translation>许可证未知</translation>
    </message>
    <message>
        <source>Installed</source>
        <translation>已安装</translation>
    </message>
    <message>
        <source>Fits this box</source>
        <translation>适合本机</translation>
    </message>
    <message>
        <source>Fits, but tight</source>
        <translation>可以运行，但内存紧张</translation>
    </message>
    <message>
        <source>Too large for this box</source>
        <translation>对本机过大</translation>
    </message>
    <message>
        <source>Needs %1 of memory (weights %2, conversation %3); %4 are free.</source>
        <translation>需要内存 %1（权重 %2，对话 %3）；可用 %4。</translation>
    </message>
    <message>
        <source>Expect about %1.</source>
        <translation>预计约 %1。</translation>
    </message>
    <message>
        <source>adapter of %1</source>
        <translation>%1 的适配器</translation>
    </message>
</context>
<context>
    <name>hearth::gui::PackListModel</name>
    <message>
        <source>Installing</source>
        <translation>正在安装</translation>
    </message>
    <message>
        <source>Not trusted</source>
        <translation>不受信任</translation>
    </message>
    <message>
        <source>Damaged</source>
        <translation>已损坏</translation>
    </message>
    <message>
        <source>Installed</source>
        <translation>已安装</translation>
    </message>
    <message>
        <source>Trusted</source>
        <translation>受信任</translation>
    </message>
    <message>
        <source>licence unknown</source>
        <translation>许可证未知</translation>
    </message>
    <message>
        <source>Nobody whom this box trusts has signed it, so it is not installed. (%1)</source>
        <translation>没有本机信任的人为它签名，因此不会安装。（%1）</translation>
    </message>
    <message>
        <source>It is damaged, so it is not installed. (%1)</source>
        <translation>它已损坏，因此不会安装。（%1）</translation>
    </message>
</context>
<context>
    <name>hearth::gui::PresetListModel</name>
    <message>
        <source>Quick</source>
        <translation>快速</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>均衡</translation>
    </message>
    <message>
        <source>Thorough</source>
        <translation>彻底</translation>
    </message>
    <message>
        <source>A first try, to see whether the data works.</source>
        <translation>先试一次，看看数据是否合适。</translation>
    </message>
    <message>
        <source>The right choice for most data.</source>
        <translation>适合大多数数据。</translation>
    </message>
    <message>
        <source>Takes longest and learns the most.</source>
        <translation>用时最长，学得最多。</translation>
    </message>
    <message>
        <source>changes every weight</source>
        <translation>改动全部权重</translation>
    </message>
    <message>
        <source>small add-on of rank %1</source>
        <translation>秩为 %1 的小型附加层</translation>
    </message>
    <message>
        <source>1 pass over the data or more</source>
        <translation>至少遍历数据 1 遍</translation>
    </message>
    <message>
        <source>%1 passes over the data or more</source>
        <translation>至少遍历数据 %1 遍</translation>
    </message>
</context>
<context>
    <name>hearth::gui::ProblemListModel</name>
    <message>
        <source>Line %1</source>
        <translation>第 %1 行</translation>
    </message>
    <message>
        <source>%1, field %2</source>
        <translation>%1，字段“%2”</translation>
    </message>
</context>
<context>
    <name>hearth::gui::TurnListModel</name>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Instruction</source>
        <translation>指令</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>工具</translation>
    </message>
    <message>
        <source>Answer, not learned</source>
        <translation>回答（不学习）</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>推理</translation>
    </message>
    <message>
        <source>Call of a tool</source>
        <translation>调用工具</translation>
    </message>
</context>
<context>
    <name>hearth::gui::Updates</name>
    <message>
        <source>%1 failed: %2</source>
        <translation>%1 失败：%2</translation>
    </message>
    <message>
        <source>No stick or folder with packs was found.</source>
        <translation>没有找到含模型包的 U 盘或文件夹。</translation>
    </message>
    <message>
        <source>Nothing new: what can be installed is installed.</source>
        <translation>没有新内容：能安装的都已安装。</translation>
    </message>
    <message>
        <source>One new pack can be installed.</source>
        <translation>有 1 个新模型包可以安装。</translation>
    </message>
    <message>
        <source>%1 new packs can be installed.</source>
        <translation>有 %1 个新模型包可以安装。</translation>
    </message>
    <message>
        <source>%1 is installed and verified.</source>
        <translation>%1 已安装并通过校验。</translation>
    </message>
    <message>
        <source>Choose a folder first.</source>
        <translation>请先选择文件夹。</translation>
    </message>
    <message>
        <source>There is no pack in this folder.</source>
        <translation>此文件夹中没有模型包。</translation>
    </message>
</context>
</TS>
