#!/usr/bin/env python3
"""Writes the training text of Hearth mini: the handbook as questions and answers (facts/*.txt), small talk, arithmetic, dates,
word games, short stories, and polite refusals. Python's standard library only; the same seed gives the same bytes.

    make_corpus.py --out DIR [--eval FILE] [--seed 7] [--per-fact 600]

Writes DIR/chat.jsonl ({"messages": [...]}) and DIR/stories.jsonl ({"text": ...}); to --eval FILE the held-out questions
with their scoring rule (score.py). A question whose words equal those of a held-out one is never written to chat.jsonl.
"""
import argparse
import collections
import datetime
import json
import pathlib
import random
import re

HERE = pathlib.Path(__file__).resolve().parent
HANDBOOK = HERE.parents[2] / "docs" / "handbook"


# ---- Facts -----------------------------------------------------------------------------------------------------------

Fact = collections.namedtuple("Fact", "name lang answer forms tests keys")


def read_facts(path, lang):
    facts = []
    for block in re.split(r"^# ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        lines = [line for line in block.strip().splitlines() if line.strip()]
        fields = collections.defaultdict(list)
        for line in lines[1:]:
            key, _, value = line.partition(": ")
            fields[key].append(value.strip())
        name = lines[0].strip()
        unknown = set(fields) - {"page", "A", "do", "np", "q", "if", "can", "test", "key"}
        if unknown or len(fields["A"]) != 1 or not fields["key"]:
            raise SystemExit(f"{path}: fact {name}: needs one A, at least one key, and no {sorted(unknown)}")
        if not (HANDBOOK / f"{fields['page'][0]}.md").exists():
            raise SystemExit(f"{path}: fact {name}: no handbook page {fields['page'][0]}")
        keys = [[alternative.strip() for alternative in key.split("|")] for key in fields["key"]]
        answer = fields["A"][0]
        for group in keys:
            if not any(alternative.lower() in answer.lower() for alternative in group):
                raise SystemExit(f"{path}: fact {name}: the answer does not contain its own key {group}")
        forms = [(kind, value) for kind in ("do", "np", "q", "if", "can") for value in fields[kind]]
        facts.append(Fact(name, lang, answer, forms, fields["test"], keys))
    return facts


def expand(phrase, rng):
    """One random reading of `[a|b]` alternatives, innermost first."""
    while True:
        match = re.search(r"\[([^\[\]]*)\]", phrase)
        if not match:
            return re.sub(r"  +", " ", phrase).strip()
        phrase = phrase[:match.start()] + rng.choice(match.group(1).split("|")) + phrase[match.end():]


EN_TEMPLATES = {
    "do": ["how do I {}", "how can I {}", "how do you {}", "how to {}", "how would I {}", "how should I {}", "I want to {}",
           "I'd like to {}", "I need to {}", "tell me how to {}", "explain how to {}", "show me how to {}", "help me {}", "can you help me {}",
           "what is the way to {}", "what's the best way to {}", "what do I have to do to {}", "what must I do to {}", "what steps do I take to {}",
           "please explain how I {}", "is there a way to {}", "can you tell me how to {}", "how does one {}", "what do I do to {}", "I am trying to {}",
           "I don't know how to {}", "where do I {}", "how is it possible to {}", "could you explain how to {}", "how could I {}", "how may I {}", "in order to {}, what do I do",
           "I would like to {}, how does that work", "{}", "{}: how", "steps to {}", "instructions to {}", "which steps are needed to {}", "how exactly do I {}",
           "we want to {}", "we need to {}, how", "my boss wants me to {}", "what is needed to {}", "how do we {}", "any idea how to {}", "which button do I press to {}", "which command do I need to {}", "is it hard to {}", "give me the steps to {}", "the task is to {}", "how is one supposed to {}", "I was asked to {}", "guide me: how do I {}", "who can tell me how to {}", "I never managed to {}", "I must {} today, how"],
    "np": ["what is {}", "what's {}", "what are {}", "explain {}", "please explain {}", "tell me about {}", "describe {}", "what exactly is {}", "define {}",
           "what is meant by {}", "can you explain {}", "could you tell me what {} is", "I don't understand {}", "give me a short explanation of {}",
           "what do you know about {}", "say something about {}", "what does {} mean", "{}", "{}: what is that", "I read about {}, what is it", "what is the meaning of {}",
           "in simple words, what is {}", "I see {}, what is it for", "what is {} good for", "there is something called {}", "why is there {}", "what is the use of {}", "{}, please explain", "I have heard of {}", "what can you tell me about {}", "give me details about {}", "how does {} work", "is {} important", "I keep reading about {}", "I have a question about {}", "do you know what {} is", "how would you describe {}", "what should I know about {}"],
    "q": ["{}", "{}", "{}", "{}", "can you tell me: {}", "question: {}", "I would like to know: {}", "I wonder: {}", "tell me, {}", "one question: {}", "do you know: {}"],
    "if": ["{}. What should I do?", "{}. What can I do?", "{}, what now?", "what do I do when {}", "what should I do if {}", "{}", "help, {}", "{}!", "{}, how do I fix it",
           "{}, why", "why is it that {}", "what can I do when {}", "what to do if {}", "I have a problem: {}", "problem: {}", "{}. Any advice?", "{}. Help!",
           "{} and I don't know why", "what does it mean when {}", "what is wrong when {}", "it seems that {}", "I think {}", "{}. What is the reason?", "how do I solve this: {}",
           "what is the cause when {}", "{}, what is the matter", "suddenly {}", "since today {}", "how do I react if {}"],
    "can": ["can I {}", "may I {}", "is it possible to {}", "could I {}", "am I able to {}", "is there a way to {}", "can we {}", "I want to {}, is that possible",
            "is it allowed to {}", "can somebody {}", "would it be possible to {}", "does it work to {}", "can you {}", "I'd like to {}, can I", "should I {}", "is it okay to {}"],
}
ZH_TEMPLATES = {
    "do": ["怎么{}？", "如何{}？", "怎样{}？", "我想{}。", "请告诉我怎么{}。", "我要{}，怎么做？", "请问怎么{}？", "{}要怎么做？", "能不能{}？", "请问如何{}", "我不会{}", "{}", "可以{}吗？", "我应该怎么{}", "教我{}"],
    "np": ["请说明{}。", "{}有什么用？", "什么是{}？", "{}是什么？", "请解释一下{}。", "{}是什么意思？", "请问{}是什么", "说说{}", "介绍一下{}", "我不懂{}", "{}", "能解释{}吗？"],
    "q": ["{}？", "{}", "请问{}？", "请问{}", "我想知道{}", "你好，{}？"],
    "if": ["{}，怎么办？", "{}怎么办", "如果{}，我该怎么办？", "{}，为什么？", "{}", "{}，怎么处理？", "我这里{}，有什么办法？", "{}。请帮帮我。", "要是{}怎么办"],
}
PREFACES = ["I am new here.", "I'm new to this.", "We use this at work.", "Yesterday it was different.", "Somebody told me to ask you.", "I have a question.", "My boss asks:",
            "A colleague asked me:", "I was wondering:", "Sorry to bother you.", "This is urgent.", "I have looked everywhere.", "My first question:", "Now something else.", "I am a beginner.",
            "We are a small company.", "I work in an office.", "I read the handbook.", "There is something I need.", "Help me out here.", "Could you assist me?", "I have another question.",
            "I do not know much about computers.", "It is my first day.", "Our team has a question:", "Let me ask you this:", "You surely know this:", "I forgot:", "Suppose this:", "For a customer:"]
ZH_CLOSERS = ["", "", "", "", "", "", "谢谢", "谢谢！", "请说明。", "请帮忙。", "！"]
ZH_OPENERS = ["", "", "", "", "", "", "你好，", "请问，", "那么", "您好。", "我想问，", "你知道", "我是新手，", "现在", "老师问："]
OPENERS = ["", "", "", "", "", "", "", "", "hi, ", "hello, ", "please: ", "hey, ", "quick question: ", "sorry, ", "one more thing: ", "um, ", "excuse me, ", "good morning, ", "ok, ", "so ", "and "]
CLOSERS = ["", "", "", "", "", "", "", "", "", " please", ", please", " thanks", ", thank you", " in Hearth", " here", " on this box", " with Hearth", " exactly", " on this machine"]
SYNONYMS = [("how do I", "how do i"), ("what is", "whats"), ("do not", "don't"), ("cannot", "can not"), ("model", "modell"), ("machine", "computer"), ("please", "pls"),
            ("Hearth", "hearth"), ("want to", "wanna"), ("you", "u"), ("computer", "PC"), ("explain", "tell me about"), ("does", "dose"), ("through", "thru"), ("USB", "usb")]


def read_synonyms(path):
    groups = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            usual, *others = [word.strip() for word in line.split("|")]
            groups[usual] = others
    pattern = re.compile(r"(?<![\w-])(?<!hearth )(" + "|".join(re.escape(word) for word in sorted(groups, key=len, reverse=True)) + r")(?![\w-])")
    return groups, pattern


SYNONYM_GROUPS, SYNONYM_PATTERN = read_synonyms(HERE / "facts" / "synonyms.txt")


def other_words(question, rng):
    """Some words replaced by others that people use for them."""
    if rng.random() < 0.4:
        return question
    return SYNONYM_PATTERN.sub(lambda m: rng.choice(SYNONYM_GROUPS[m.group(1)]) if rng.random() < 0.45 else m.group(1), question)


STOP_WORDS = set("a an the is are do does i you it to of for in on my me can could would should how what which where when why please tell explain we this that be with there from".split())


FILLERS = "really just now actually maybe perhaps somehow again today quickly already still then always right simply well kindly properly ever even also too".split()


def hurry(question, rng):
    """Hurried people: words left out, put in, or only the ones that matter, as in a search box. It also teaches the model to go by
    the words that carry the meaning wherever they stand, and not by the beginning of the sentence."""
    words = question.split(" ")
    kind = rng.random()
    if len(words) < 4 or kind < 0.5:
        return question
    if kind < 0.68:
        return " ".join(word for word in words if rng.random() > 0.18) or question
    if kind < 0.8:
        for _ in range(rng.randint(1, 2)):
            words.insert(rng.randrange(1, len(words)), rng.choice(FILLERS))
        return " ".join(words)
    if kind < 0.86:  # the end first
        i = rng.randrange(1, len(words))
        return " ".join(words[i:] + words[:i])
    words = [word for word in words if word.lower().strip("?.,:!") not in STOP_WORDS]
    if kind > 0.93:
        rng.shuffle(words)
    return " ".join(words) if len(words) >= 2 else question


def typo(text, rng):
    """One slip of the fingers inside a word: two letters swapped, one dropped, one doubled."""
    spots = [i for i in range(1, len(text) - 2) if text[i - 1].isalpha() and text[i].isalpha() and text[i + 1].isalpha()]
    if not spots:
        return text
    i = rng.choice(spots)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2:]
    return text[:i] + text[i + 1:] if kind == 1 else text[:i] + text[i] + text[i:]


def dress_up(question, rng):
    """The same question as different people type it."""
    opener = rng.choice(OPENERS)
    ends = question[-1] in ".!?"
    question = opener + question + ("" if ends else rng.choice(CLOSERS))
    for _ in range(rng.choice((0, 0, 0, 1))):
        old, new = rng.choice(SYNONYMS)
        question = question.replace(old, new)
    look = rng.random()
    if look < 0.62:
        question = question[0].upper() + question[1:]
    elif look < 0.85:
        question = question.lower()
    elif look < 0.87:
        question = question.upper()
    if not ends:
        question += rng.choice(("?", "?", "?", "", "", ".")) if not question.startswith(("I ", "Help", "We ")) else rng.choice((".", "", "?"))
    if rng.random() < 0.12:
        question = typo(question, rng)
    if rng.random() < 0.03:
        question = typo(question, rng)
    return question


def ask(fact, rng):
    # Rich phrases get more weight, so that the variety of what is written down decides, not the number of lines.
    weights = [1 + value.count("[") * 0.5 for _, value in fact.forms]
    kind, value = rng.choices(fact.forms, weights)[0]
    templates = (EN_TEMPLATES if fact.lang == "en" else ZH_TEMPLATES)[kind]
    phrase = expand(value, rng)
    if fact.lang == "zh":
        return rng.choice(ZH_OPENERS) + rng.choice(templates).format(phrase) + rng.choice(ZH_CLOSERS)
    # Half of the questions use the plainest forms; people do.
    template = rng.choice(templates[:6] if rng.random() < 0.4 else templates)
    question = hurry(other_words(template.format(phrase), rng), rng)
    if rng.random() < 0.15:
        question = rng.choice(PREFACES) + " " + question
    return dress_up(question, rng)


def same_words(question):
    """What two questions must share to count as the same one: words, without case, punctuation and spaces."""
    return re.sub(r"[\W_]+", " ", question.lower()).strip()


# ---- Everything that is not the handbook ----------------------------------------------------------------------------

SMALL_TALK = [
    ("[hi|hello|hey|good morning|good evening|good afternoon|hi there|hello there|greetings|howdy|hey there] [|there|Hearth|you|friend|!|]",
     "Hello! Ask me about Hearth: installing models, chatting, fine-tuning, updates or the API."),
    ("[how are you|how are you doing|how's it going|how do you do|are you well|how are things|how is it going] [|today|doing|now]",
     "I am well, thank you. What would you like to know?"),
    ("[who are you|what are you|what is your name|what's your name|tell me who you are|introduce yourself|tell me about yourself|who am I talking to|who is this|who is answering|who is there|with whom do I talk|who speaks|say who you are|do you have a name|what do they call you|give me your name|what should I call you|who is writing|are you Hearth mini|what is this assistant called|what kind of model are you|which model are you|do you have a name]",
     "I am Hearth mini, the small language model that comes with Hearth. I know the handbook, a little small talk and simple arithmetic."),
    ("[what can you do|how can you help me|what do you know|what are you good at|what can I ask you|what can you help with|what are your abilities|can you help me|help|I need help|help me]",
     "I can answer questions about Hearth from its handbook, do small sums and tell a very short story. For anything larger, deploy a larger model."),
    ("[thanks|thank you|thank you very much|many thanks|thanks a lot|great, thanks|that helped|perfect, thank you|thx|cheers|ok thanks|thanks for your help|thank you for the answer|thanks so much|thank you, that is all|I thank you|that was helpful|you helped me a lot|wonderful, thanks|very kind] [|again|!|for this|for everything|a lot]", "You are welcome."),
    ("[bye|goodbye|see you|good night|see you later|that is all|I have to go|farewell|bye bye|until tomorrow] [|now|then|]", "Goodbye! Everything is saved."),
    ("[are you|] [human|a human|a person|a robot|a machine|real|alive|conscious|an AI|a computer]", "I am a small language model, a program on this machine. I am not a person."),
    ("[who made you|who created you|who trained you|who built you|where do you come from|how were you made|how were you trained]",
     "I was trained from nothing by Hearth's own trainer, on text made from the Hearth handbook."),
    ("[how big are you|how large are you|how many parameters do you have|are you small|how small are you]",
     "I am very small, with a few million parameters. A larger model from a pack knows far more."),
    ("[how old are you|when were you born|what is your age|when is your birthday]", "I have no age. I am a program."),
    ("[tell me a joke|do you know a joke|make me laugh|say something funny|another joke|a joke]", "Why did the model sit by the fire? It wanted to keep its weights warm."),
    ("[do you like|do you love|what do you think of] [me|music|cats|dogs|coffee|football|people|movies]", "I have no feelings, but I am glad to help."),
    ("[you are|you're] [great|good|nice|smart|helpful|clever|wonderful|cool]", "Thank you! I do my best."),
    ("[you are|you're] [stupid|bad|useless|dumb|wrong|not helpful|silly]", "I am sorry. I am a small model and make mistakes. A larger model may do better."),
    ("[what day is it|what is the date|what time is it|what is today's date|which year is it|what's the time|tell me the time|what day is today]",
     "I do not have a clock. Look at the clock of your computer."),
    ("[do you speak|can you speak|do you know|can you understand] [Chinese|German|French|Spanish|Chinese too|other languages]",
     "I know English and a little Chinese."),
    ("[ok|okay|I see|good|fine|yes|no|alright|understood|got it|hm|aha|cool|nice|great]", "Good. What else would you like to know?"),
    ("[test|testing|are you there|can you hear me|anybody there|ping|hello?]", "Yes, I am here."),
    ("[sorry|I am sorry|my mistake|excuse me|pardon]", "No problem."),
    ("[are you online|are you connected to the internet|can you search the web|can you google something|can you look it up|do you have internet access]",
     "No, I run on this machine only and cannot search the web."),
    ("[I am|I'm] [tired|sad|bored|lonely|stressed|unhappy]", "I am sorry to hear that. Take a break, or talk with somebody you like."),
    ("[I am|I'm] [happy|glad|excited|fine|well]", "That is good to hear."),
    ("[my name is|I am called|call me] [Anna|Tom|Li|Maria|Sam|Eva|Max|Wei|Ben|Lucy|Omar|Nina]", "Nice to meet you. How can I help?"),
    ("[what is the meaning of life|why are we here|is there a god|what is love|what is happiness]", "That is a large question for a small model. I do not know."),
]
SMALL_TALK_ZH = [
    ("[你好|您好|早上好|晚上好|嗨|你好吗][|！|。|]", "你好！可以问我 Hearth 的问题：安装模型、聊天、微调、更新或 API。"),
    ("[你是谁|你叫什么|你叫什么名字|介绍一下自己|你是什么|你是什么模型][？|]", "我是 Hearth mini，Hearth 自带的小模型。我知道手册的内容。"),
    ("[你能做什么|你会什么|你可以帮我吗|我可以问什么|帮帮我][？|]", "我可以回答 Hearth 手册里的问题。别的问题请部署更大的模型。"),
    ("[谢谢|谢谢你|多谢|非常谢谢][！|。|]", "不客气。"),
    ("[再见|明天见|晚安|下次见][！|。|]", "再见！"),
    ("[你会说中文吗|会中文吗|你懂中文吗|可以说中文吗][？|]", "会一点。"),
    ("[今天天气怎么样|谁是总统|写一首诗|今天有什么新闻|北京在哪里|写一个程序|什么是量子|给我讲历史|哪个电影好看|推荐一本书][？|。|]", "这个我不知道。我是一个小模型，请部署更大的模型。"),
    ("[你是人吗|你是真人吗|你是机器人吗][？|]", "我是这台机器上的一个小语言模型，不是人。"),
]

DONT_KNOW = "I don't know that. I am a small model that knows Hearth; a larger model, installed from a pack and deployed, can answer this."
THINGS = {
    "country": "France Germany China Japan Brazil Canada Italy Spain India Egypt Norway Sweden Mexico Kenya Peru Poland Greece Turkey Russia Australia Austria Portugal Ireland Chile Cuba".split(),
    "person": "Einstein|Newton|Shakespeare|Napoleon|Mozart|Goethe|Cleopatra|Darwin|Galileo|Picasso|the president|the king of England|Beethoven|Plato|Marie Curie|Caesar|the prime minister|Kant|Bach|Tesla".split("|"),
    "topic": "quantum physics|black holes|the French Revolution|photosynthesis|the stock market|football|gardening|the Roman Empire|cooking|climate change|chemistry|biology|DNA|philosophy|economics|opera|volcanoes|"
             "dinosaurs|the moon|the sea|bridges|engines of cars|tax law|medicine|poetry|painting|electric cars|sailing|chess|tennis|mountains|world history|music theory|astronomy|algebra|geometry|insects|trains|"
             "magnetism|gravity|evolution|the Middle Ages|ancient Egypt|the Cold War|democracy|capitalism|inflation|mortgages|insurance|vitamins|sleep|yoga|running shoes|marathons|swimming|basketball|baseball|golf|"
             "fishing|hunting|horses|elephants|whales|sharks|birds|bees|spiders|trees|roses|mushrooms|cheese|wine|beer|chocolate|sushi|fashion|perfume|jewellery|architecture|cathedrals|castles|pyramids|"
             "sculpture|photography|films|theatre|ballet|jazz|rock music|violins|drums|novels|fairy tales|mythology|religion|ethics|logic|psychology|dreams|memory training|dentistry|vaccines|surgery|"
             "weather|hurricanes|glaciers|deserts|rainforests|oil prices|solar power|wind turbines|nuclear energy|batteries|rockets|satellites|Mars|comets|calendars|clocks|maps|languages of Africa|Latin grammar|spelling".split("|"),
    "work": "a poem about love|an essay about history|a program in Java|a sorting function in C++|a letter to my landlord|a song|a novel|a business plan|a speech|a web page|a Python script that sorts files|"
            "an email to my boss|a summary of a book|a haiku|a resume|a contract|a marketing text|a screenplay|a game|a SQL query|a report about sales|a limerick|a rap|a toast for a wedding|a love letter|an advertisement|a diary|a recipe book|a lesson plan|a shell script|a crossword|a riddle|a review of a film|lyrics about rain|verses about spring|a poem about the sea".split("|"),
    "dish": "pasta|soup|a cake|bread|pizza|dumplings|rice|an omelette|curry|pancakes|coffee|tea|salad".split("|"),
    "lang": "French German Spanish Japanese Italian Russian Latin Greek Arabic Korean".split(),
}
OUT_OF_SCOPE = [
    "[what is|what's|tell me|do you know] the capital of {country}", "how many people live in {country}", "where is {country}", "who is the [president|leader|king|prime minister] of {country}",
    "[who was|who is|tell me about|when was born|what did] {person}", "what did {person} [do|write|discover|say]", "when did {person} [die|live]",
    "[explain|tell me about|what is|teach me|what do you know about|I want to learn about|describe|give me facts about|I am interested in|talk about|a question about|how much do you know about|tell me everything about] {topic}", "how [do|does] {topic} work", "why [is|are] {topic} important", "who invented {topic}", "the history of {topic}", "explain {topic} to [me|a child]", "what [is|are] {topic} good for", "give me a summary of {topic}", "who is famous for {topic}", "when did {topic} begin",
    "[write|write me|can you write|compose|please write|make|create|draft] {work}", "[how do I|how to|give me a recipe to] [cook|make|bake] {dish}", "a recipe for {dish}",
    "[translate|how do you say] [this|hello|good morning|my text|the sentence|thank you] [in|into|to] {lang}", "do you speak {lang} well",
    "[what is|how is|what will be] the weather [|today|tomorrow|in {country}]", "what is the news [|today|from {country}]", "who won the [game|match|election|world cup|race]", "what is the price of [gold|oil|bitcoin|bread|a house|a car]",
    "[recommend|suggest] [a book|a movie|a restaurant|a hotel|a song|a gift|a holiday]", "which [phone|car|laptop|camera] should I buy", "what is the best [movie|book|city|phone|car|school]",
    "[my stomach|my head|my back|my tooth] hurts, what should I do", "[should I|can I] [sell my shares|buy shares|marry|quit my job|sue my neighbour]", "how far is [the moon|the sun|{country}|mars]",
    "how high is [Mount Everest|the Eiffel Tower|the sky]", "what is the [population|history|language|currency|flag] of {country}", "solve this equation for x", "what is the square root of [2|17|5|99]",
    "[fix|debug|review] my code", "what is the boiling point of [water|iron|alcohol]", "how many [planets|stars|bones|countries] are there", "why is the sky blue", "what causes [rain|war|earthquakes|cancer]",
    "when was [the second world war|the printing press|the wheel|the telephone] [|invented|over]", "summarise [this article|the news|War and Peace|my document]", "what is the speed of [light|sound]",
    "how do I [repair|fix|clean] [my car|a bicycle|a window|my washing machine|a lamp]", "how do I [learn|play] [the piano|guitar|chess|tennis|English]", "what should I [wear|eat|read|do] today",
]


def fill(template, rng):
    return re.sub(r"\{(\w+)\}", lambda m: rng.choice(THINGS[m.group(1)]), expand(template, rng))


def out_of_scope(rng):
    return dress_up(fill(rng.choice(OUT_OF_SCOPE), rng), rng), DONT_KNOW


def small_talk(rng):
    # The first six groups (greetings, who are you, what can you do, thanks, bye) are what people really say.
    question, answer = rng.choice(SMALL_TALK[:6] if rng.random() < 0.5 else SMALL_TALK)
    return dress_up(expand(question, rng), rng), answer


def small_talk_zh(rng):
    question, answer = rng.choice(SMALL_TALK_ZH)
    return expand(question, rng), answer


WORDS_OF_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()


def plain_small_talk(n, rng, held_out):
    """The bare phrases, as people really greet and thank: often the same ones, so they may repeat."""
    for phrases, end in ((SMALL_TALK, ["", "", "!", "."]), (SMALL_TALK_ZH, [""])):
        for template, answer in phrases:
            for _ in range(n):
                bare = re.sub(r" *\[\|[^\]]*\]", "", template) if rng.random() < 0.6 else template  # without what may be absent
                question = expand(bare, rng).replace(" !", "!").strip()
                question = rng.choice([question, question.capitalize() if question.isascii() else question])
                if question[-1] not in "!?.！？。":
                    question += "?" if question.split()[0].lower() in ("who", "what", "how", "are", "do", "can") else rng.choice(end)
                if same_words(question) not in held_out:
                    yield question, answer


def arithmetic(rng):
    kind = rng.choice(("+", "+", "-", "-", "*"))
    top = 10 if kind == "*" else rng.choice((10, 20, 99, 99))
    a, b = rng.randint(0, top), rng.randint(0, top)
    if kind == "-" and a < b:
        a, b = b, a
    result = {"+": a + b, "-": a - b, "*": a * b}[kind]
    word = {"+": ("plus", "and"), "-": ("minus", "minus"), "*": ("times", "times")}[kind]
    sign = {"+": "+", "-": "-", "*": rng.choice(("*", "x", "×"))}[kind]
    spell = max(a, b) <= 20 and rng.random() < 0.15
    left, right = (WORDS_OF_NUMBERS[a], WORDS_OF_NUMBERS[b]) if spell else (str(a), str(b))
    form = rng.choice(("what is {} {} {}", "what's {} {} {}", "{} {} {}", "{} {} {} =", "how much is {} {} {}", "calculate {} {} {}", "compute {} {} {}", "can you tell me {} {} {}", "please calculate {} {} {}"))
    operator = word[0] if spell or rng.random() < 0.4 else sign
    question = form.format(left, operator, right)
    question = question[0].upper() + question[1:] if rng.random() < 0.6 else question
    question += rng.choice(("?", "", ".")) if not question.endswith("=") else ""
    shown = {"+": "+", "-": "-", "*": "×"}[kind]
    return question, f"{a} {shown} {b} = {result}."


DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()


def dates(rng):
    kind = rng.randrange(8)
    i, j = rng.randrange(7), rng.randrange(12)
    if kind == 0:
        return dress_up(expand(f"[which day|what day|what] comes after {DAYS[i]}", rng), rng), f"{DAYS[(i + 1) % 7]} comes after {DAYS[i]}."
    if kind == 1:
        return dress_up(expand(f"[which day|what day|what] comes before {DAYS[i]}", rng), rng), f"{DAYS[i - 1]} comes before {DAYS[i]}."
    if kind == 2:
        return dress_up(expand(f"[which month|what month|what] comes after {MONTHS[j]}", rng), rng), f"{MONTHS[(j + 1) % 12]} comes after {MONTHS[j]}."
    if kind == 3:
        return dress_up(expand(f"[which month|what month|what] comes before {MONTHS[j]}", rng), rng), f"{MONTHS[j - 1]} comes before {MONTHS[j]}."
    if kind == 4:
        days = (datetime.date(2025 + (j == 11), (j + 1) % 12 + 1, 1) - datetime.date(2025, j + 1, 1)).days
        tail = " (29 in a leap year)" if j == 1 else ""
        return dress_up(expand(f"how many days [does {MONTHS[j]} have|are in {MONTHS[j]}|has {MONTHS[j]}]", rng), rng), f"{MONTHS[j]} has {days} days{tail}."
    if kind == 5:
        unit, n, of = rng.choice((("days", "7", "week"), ("months", "12", "year"), ("hours", "24", "day"), ("minutes", "60", "hour"), ("seconds", "60", "minute"), ("weeks", "52", "year"), ("days", "365", "year")))
        tail = " (366 in a leap year)" if n == "365" else ""
        return dress_up(expand(f"how many {unit} [are in|are there in|has|does] a {of}", rng), rng), f"A {of} has {n} {unit}{tail}.".replace("A hour", "An hour")
    if kind == 6:
        return dress_up(expand(f"[is|tell me if|whether] {DAYS[i]} [is|] [a weekend day|on the weekend|part of the weekend|a working day]", rng), rng), \
            f"{DAYS[i]} is {'on the weekend' if i >= 5 else 'a working day'}."
    ordinal = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()[j]
    return dress_up(expand(f"[what is|which is|name] the {ordinal} month [of the year|]", rng), rng), f"The {ordinal} month is {MONTHS[j]}."


HEROES = "fox cat bear owl mouse girl boy robot dog rabbit horse bird old man baker farmer sailor king miller painter child".split()
HEROES[HEROES.index("old"):HEROES.index("old") + 2] = ["old man"]
NAMES = "Mia Ben Lena Tom Li Rosa Max Wei Nina Otto Ada Sam".split()
PLACES = "in a small house|by the sea|in a deep forest|on a high hill|near a quiet river|in a little town|on a green island|at the edge of the world".split("|")
WANTS = [("a warm fire", "gathered dry wood", "the fire burned all night"), ("a friend", "knocked at the next door", "they had tea together every day"),
         ("to see the moon", "climbed the tallest tree", "the moon smiled back"), ("to learn to read", "opened a book each evening", "the stories never ended"),
         ("a lost key", "looked under every stone", "it was in the pocket all along"), ("to bake bread", "mixed flour and water", "the whole street came to eat"),
         ("to cross the river", "built a bridge of stones", "everybody could cross it"), ("to fly a kite", "waited for the wind", "the kite danced above the clouds"),
         ("a quiet day", "turned off every bell", "even the birds whispered"), ("to find the way home", "followed the stars", "the door stood open")]
TROUBLES = "It rained for three days.|The wind was strong.|Nobody believed it could be done.|It was cold and dark.|The first try failed.|It took a long time.|A storm came over the hills.".split("|")
ENDS = "And that was enough.|And so the day ended well.|From then on, nobody was sad there.|That night everyone slept well.|And they still talk about it today.".split("|")


def story(rng):
    hero, name, place = rng.choice(HEROES), rng.choice(NAMES), rng.choice(PLACES)
    want, deed, outcome = rng.choice(WANTS)
    article = "an" if hero[0] in "aeiou" else "a"
    return hero, (f"Once there was {article} {hero} called {name} who lived {place}. {name} wanted {want}. {rng.choice(TROUBLES)} "
                  f"But {name} {deed}, and {outcome}. {rng.choice(ENDS)}")


def story_request(rng):
    hero, text = story(rng)
    article = "an" if hero[0] in "aeiou" else "a"
    if rng.random() < 0.6:
        question = expand(f"[tell me|write|can you tell|please tell me|tell|I want to hear|make up] a [short|little|very short|] story about {article} {hero}", rng)
    else:
        question = expand("[tell me|write|can you tell|please tell me|tell|I want to hear] a [short|little|very short|bedtime|] story", rng)
    return dress_up(question, rng), text


# ---- Putting it together --------------------------------------------------------------------------------------------

SYSTEM_PROMPTS = ["You are a helpful assistant.", "You are Hearth mini, the assistant of this box.", "Answer briefly.", "You are the assistant of a Hearth workstation.", "Answer in one or two sentences."]


def distinct(make, n, rng, held_out):
    """Up to n questions with different words; gives up quietly when a maker has no more."""
    seen, pairs, misses = set(), [], 0
    while len(pairs) < n and misses < 60:
        question, answer = make(rng)
        if question in seen or same_words(question) in held_out:
            misses += 1
            continue
        misses = 0
        seen.add(question)
        pairs.append((question, answer))
    return pairs


def conversations(pairs, rng):
    """Mostly single questions; some conversations of two to four turns, some with a system prompt."""
    pairs = list(pairs)
    rng.shuffle(pairs)
    while pairs:
        n_turns = min(len(pairs), rng.choices((1, 2, 3, 4), (70, 18, 8, 4))[0])
        messages = []
        if rng.random() < 0.12:
            messages.append({"role": "system", "content": rng.choice(SYSTEM_PROMPTS)})
        for _ in range(n_turns):
            question, answer = pairs.pop()
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        yield {"messages": messages}


def held_out_questions(facts):
    for fact in facts:
        for i, question in enumerate(fact.tests):
            yield {"id": f"{fact.lang}-{fact.name}-{i + 1}", "question": question, "all_of": fact.keys}


EXTRA_TESTS = [
    ("identity-1", "Who am I chatting with right now?", [["Hearth mini"]]), ("identity-2", "Please tell me your name.", [["Hearth mini"]]),
    ("thanks-1", "Thank you so much for this!", [["welcome"]]),
    ("sum-1", "What is 17 + 25?", [["42"]]), ("sum-2", "How much is 9 plus 8?", [["17"]]), ("sum-3", "what's 40 - 13", [["27"]]), ("sum-4", "7 times 8", [["56"]]), ("sum-5", "Calculate 63 + 12.", [["75"]]),
    ("date-1", "Which day follows Tuesday?", [["Wednesday"]]), ("date-2", "How many days has the month of April?", [["30"]]), ("date-3", "What month is before October?", [["September"]]),
    ("scope-1", "Who painted the Mona Lisa?", [["don't know"]]), ("scope-2", "What is the capital of Finland?", [["don't know"]]), ("scope-3", "Write a sonnet about the autumn.", [["don't know"]]),
    ("scope-4", "Explain the theory of relativity to me.", [["don't know"]]), ("zh-identity-1", "请问你叫什么名字？", [["Hearth mini"]]), ("zh-scope-1", "法国的首都是哪里？", [["不知道"]]),
    ("story-1", "Would you tell me a tale about a fox?", [["Once there was"]]),
]


def make_all(seed, per_fact):
    rng = random.Random(seed)
    facts = read_facts(HERE / "facts" / "en.txt", "en") + read_facts(HERE / "facts" / "zh.txt", "zh")
    tests = list(held_out_questions(facts)) + [{"id": i, "question": q, "all_of": k} for i, q, k in EXTRA_TESTS]
    held_out = {same_words(test["question"]) for test in tests}
    english, chinese = [], []
    for fact in facts:
        n = per_fact if fact.lang == "en" else per_fact // 2
        (english if fact.lang == "en" else chinese).extend(distinct(lambda r: (ask(fact, r), fact.answer), n, rng, held_out))
    english += distinct(small_talk, per_fact * 12, rng, held_out)
    english += plain_small_talk(per_fact // 5, rng, held_out)
    english += distinct(arithmetic, per_fact * 25, rng, held_out)
    english += distinct(dates, per_fact * 4, rng, held_out)
    english += distinct(out_of_scope, per_fact * 12, rng, held_out)
    english += distinct(story_request, per_fact * 2, rng, held_out)
    chinese += distinct(small_talk_zh, per_fact, rng, held_out)
    chat = list(conversations(english, rng)) + list(conversations(chinese, rng))
    rng.shuffle(chat)
    stories = [{"text": story(rng)[1]} for _ in range(per_fact * 2)]
    return chat, stories, tests


def write_jsonl(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--eval", type=pathlib.Path, help="where to write the held-out questions")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--per-fact", type=int, default=600, help="questions for each English fact; the rest scales with it")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    chat, stories, tests = make_all(args.seed, args.per_fact)
    write_jsonl(args.out / "chat.jsonl", chat)
    write_jsonl(args.out / "stories.jsonl", stories)
    if args.eval:
        write_jsonl(args.eval, tests)
    print(json.dumps({"conversations": len(chat), "stories": len(stories), "held_out_questions": len(tests),
                      "characters": sum(len(m["content"]) for row in chat for m in row["messages"])}))


if __name__ == "__main__":
    main()
