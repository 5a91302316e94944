"""The constants of the evidence model, each with the reason for its value.

Log-likelihood ratios are in nats against background talk; what a stream can tell about itself (how often a name is said when
its product is not explained, how late its cards come) is estimated from the stream and only starts from these.
"""

from __future__ import annotations

from types import MappingProxyType

# --- names -----------------------------------------------------------------------------------------

NAMED_WITHIN_S, NAMED_ENOUGH = 120.0, 0.5
"""A product is considered when its mentions inside two minutes add up to half a clear one; hundreds of others never are."""
OWN_WORDS = 2
"""Own words near the call of a link that make it a product's, a brand or the price being one: one fits many products, two seldom do."""
LIKELY_SOMEWHERE = 0.02
"""Products that no sentence reaches this probability for are left out of further passes."""
NAME_INSIDE = 0.35
"""Share of sentences of an explanation that name the product: hosts say "it" and "this one" in the other two thirds."""
NAME_OUTSIDE = 0.012
"""Share of other sentences that name it, before the stream is known: previews, comparisons, answers."""
NAME_SURE = 60.0
"""Sentences that the prior share is worth (about five minutes of talk)."""
NAME_MOST = 3.6
"""Most that the names of one sentence may say: one in forty clear mentions is of something that is not explained."""
NAME_ABSENT = -0.04
"""What a sentence without the name says. The independence figure would be log(.65/.99) = -.42; but names come in bursts, and a host who
has said the name goes on without it for a minute: at a quarter of the figure, long pitches fell apart into pieces."""
TWIN_SHARE = 0.4
"""Share of what a name says that it says for a product of nearly the same name and kind: one sentence in twenty of its explanation
compares it with the other (log(.05/.012) = 1.4 of 3.6)."""
TWIN_MARKED = 0.5
"""Nats that what distinguishes two twins (the year, the size, the link) says more for the one that is named, from which the other is not
meant: a year said by its last two digits says so much."""
TWIN_ALONE = 3
"""Sentences around a name in which it is not said again where it is only compared with."""
SHARE_LEAST = 0.08
"""Least share of a stream that a product's own explanation is expected to fill when rates outside are estimated."""
EXPLAINED_S = 240.0
"""Seconds that a product's own explanations are expected to last at least: of a stream that is not much longer, a fair share is most."""
NOTHING_SAID = -0.05
"""A sentence without name, word, figure or selling phrase of any kind: a little likelier off the topic. Hosts tell of their neighbours
in the middle of an explanation, so it says little (-.2 cost five points of AP on simulated speech)."""
LINK_SAID = 2.2
"""A link called by its number: hosts also call numbers in answers and recaps, so less than a name."""
BRAND_SAID = 1.2
"""A brand often stands behind several products."""

# --- words and figures ------------------------------------------------------------------------------

WORD_INSIDE = 0.10
"""Share of sentences of an explanation that use one given attribute word of its title."""
WORD_OUTSIDE = 0.012
WORD_MOST = 1.5
"""Most that one word may say."""
WORDS_MOST = 3.0
"""Most that all words of a sentence may say: they are not independent."""
FIGURE_SAID = 1.2
"""A figure of the title (500 ml): sizes repeat across products."""
YEARS = range(1980, 2080)
YEAR_SHARE = 0.6
"""Share of a figure's weight that a year of the title has when only its last two digits are said."""
PRICE_SAID = 2.4
"""The catalogue's price, spoken: the number itself rarely comes up otherwise, but counts and prices collide."""
LIST_PRICE_SAID = 2.0
PRICE_NEAR = 0.5
"""Share of a price's weight for 59 or 60 where it is 59.9: one in six is said or heard so, which is log 6 = 1.8 less, rounded up, so that
another product's list price of 59 hardly tells them apart. That a number fits several products takes nothing off: it speaks against
background as before (taking the root of their number cost .006 of AP on simulated speech)."""
SMALL_FIGURE = 20.0
"""Numbers below this are said of anything (三个, ten minutes) and count a quarter."""
LEARNED_DOUBT = (9.0, 4.0)
"""Occurrences that the share of a product in the whole stream is worth when a word's share is estimated, for a word that speaks for a
product and for one that speaks against. A word that is said with a product has to be said more often to be believed: with few, the
beginnings moved by a sentence or two whenever a growing stream said one more word (.976 of seconds agreed, now .990)."""
PRICE_ALONE = 0.5
"""Share of a price's weight that is left when the sentence has no currency and no price or link phrase."""
KNOWN_AFTER_S = 180.0
"""Seconds after a sentence up to which the stream teaches what it is judged by. More would be known of a recording, but then a stream
that is still on would be decided otherwise than its recording: beginnings moved whenever a later word was learned."""
LEARNED_MOST = 1.2
"""Most that a word learned from the stream itself may say: it is learned from an answer that may be wrong."""
LEARNED_ALL = 2.0

# --- cards, picture, chat -----------------------------------------------------------------------------

CARD_SAID = 3.2
"""A card in favour of its product over the stretch it stands for: 5 % are false, so log(.95/.05) = 2.9, and a little for repeats."""
CARD_BEFORE = 2.0
"""Seconds before the card that the product is already on, at least."""
CARD_AFTER = 14.0
"""Seconds after a card over which its weight is spread."""
CARD_DELAY = 4.0
"""Mean seconds from the start of an explanation to its card, before the stream is known."""
CARD_SPREAD = 7.0
"""Standard deviation of that delay, in seconds; measured streams have 1 to 12."""
CARD_MISSING = 0.25
"""Share of explanations without a card."""
LOOK_APART = 5.0
"""Sightings closer than this, in seconds, repeat each other."""
LOOK_WORTH = 0.5
"""Share of a look's log ratio that counts: looks 5 s apart still agree more than independent ones (one in 10 s is)."""
SEEN_INSIDE = (0.4, 20.0)
"""Share of looks that see a product while it is explained, and how many looks that prior is worth."""
SEEN_OUTSIDE = (0.05, 20.0)
"""The same for other times: products stand on the table before and after their turn."""
SEEN_MOST = 1.5
"""Most that the picture may say of one sentence."""
ASKED = 0.4
"""A chat message that names a product, within the lag of chat behind speech."""
ASKED_MOST = 1.2
CHAT_LAG = (4.0, 25.0)
"""Seconds after a sentence in which the chat reacts to it (lag 10 s, platform latency 2 to 15 s)."""
STRAYED_FEWEST = 30
"""Comments that neither ask nor buy from which their bursts are looked at."""
STRAYED_LAG = (2.0, 12.0)
"""Seconds after a sentence in which a burst answers it; shorter than `CHAT_LAG`, for laughing takes no thought."""
STRAYED_FROM, STRAYED_WORTH, STRAYED_MOST = 4.0, 0.6, 0.8
"""Times the usual rate from which such comments speak against an explanation, nats per factor e above it, and the most for one
sentence: chats break out by themselves too (power-law, raids), so that a burst alone ends nothing."""
BOUGHT_MOST = 0.25
"""Most that orders may say of one sentence: they follow an offer by half a minute, one in seven by minutes, and go on through the
opening of the next product. Held against what was on air they cost three points of AP on simulated streams; this way they bring four."""
ORDER_CAUSE = ((5.0, 20.0), (20.0, 50.0), (50.0, 90.0))
"""Seconds from a sentence to the orders it may have caused: before, around and after a median lag of half a minute."""
ORDER_CAUSE_SHARES = (0.3, 0.5, 0.2)
"""What an order in each of these stretches counts."""

# --- cues --------------------------------------------------------------------------------------------

CUE = MappingProxyType(
    {
        "price": 1.0,
        "link": 1.2,
        "urgency": 0.7,
        "benefit": 0.45,
        "demo": 0.4,
        "proof": 0.3,
        "hook": 0.1,
        "pointing": 0.25,
        "call": 0.2,
        "reassure": 0.2,
        "surprise": 0.0,
        "compare": 0.1,
        "question": -0.35,
        "service": -0.7,
        "sold_out": -0.4,
        "preview": -0.9,
        "recap": -1.4,
        "transition": -0.8,
        "finish": -1.3,
        "wait": -0.9,
        "resume": 0.0,
        "chitchat": -0.9,
        "quarrel": -0.9,
        "greeting": -1.6,
        "giveaway": -1.9,
        "closing": -1.9,
    }
)
"""What one cue says for product talk against background: judged from what each phrase is for, rounded, never fitted to a stream."""
CUES_MOST = (2.4, -3.2)
"""Most that the cues of one sentence may say either way."""
ANSWER_SHARE = 0.5
"""Share of a selling phrase's weight that is left in an answer to the chat, which names links and stock of anything."""
LISTED = -1.5
"""A sentence that names three products or calls three links in one breath is a recap or a preview of the list."""
FIGURES_TOLD = 0.35
"""A number with a unit or a currency beside it: people measure products, not each other."""

FALLS_FROM, FALLS_BY = 10.0, 0.2
"""The least number that another, lower one may follow as a price does, and the least share of it that this one is. One sentence in
fourteen of recorded explanations has two such numbers, one in three hundred of others."""

# --- boundaries -----------------------------------------------------------------------------------------

FIRST_NAMED = 1.1
"""The first sentences of an explanation name the product: 70 % do, a third of the others (log 2 and a little for clarity)."""
FIRST_UNNAMED = -1.2
"""log(.3/.98): an explanation that does not begin by saying what it explains."""
NAMED_SOON = (1.0, 0.6, 0.3)
"""What a name counts in the first, second and third sentence: speech is often cut in the middle of an opening."""
OPENS = 0.7
"""A transition phrase in the sentence, or in the one before."""
RESUMES = 0.9
PRESENTS = 0.8
"""The first sentence points and names ("this is the kettle", 这件开衫): presenting, where a transition only announces."""
UNCLOSED = -1.2
"""The boundary lies inside a statement: no full stop and no pause before it."""
CUT_NEAR = 0.25
"""A camera change at the boundary: 30 % of product changes have one, 10 % of other places."""
LAST_OFFERS = 0.6
"""The last sentence before the end offers (price, link, urgency); most explanations end so."""
LAST_OTHER = -0.25
ENDS_ON_CUE = 0.6
"""The sentence after the end moves on, greets, gives away or closes."""
OFFER_TOLD = 1.5
"""Nats of a link or a price from which a sentence offers the product though no phrase says so."""
ENDS_ON_ANSWER = 0.4
"""The sentence after an offer answers somebody: what is asked then is mostly something else."""
ENDS_ON_OTHER = 1.0
"""And what it names is another product: a host who explains something seldom answers for another thing in between."""
INSIDE_NAMED = -1.6
"""The sentence after the end still names the product without weight taken off."""

# --- utterances ------------------------------------------------------------------------------------------

UTTERANCE_S, UTTERANCE_SPREAD = 4.2, 0.3
"""Seconds of a usual utterance and the spread of their logarithm, before the host is known: breath groups of spontaneous speech last
3.5 to 5 s in most studies, and those of one speaker are alike."""
UTTERANCE_MOST = 12
"""Runs of speech between pauses that make up one utterance, at most: nobody says more in a breath or two."""
RESTS_LONGER, BREATHS_SHORTER, PAUSE_SPREAD = 1.2, 0.7, 0.3
"""Rests behind utterances and breaths inside, as shares of the middle pause of a stream, and the spread of their logarithms, before the
host is known: sellers rest longer where they finish, drink and pick things up."""
LONG_SHARE, LONG_RESTS, LONG_SPREAD = 0.2, 1.8, 0.5
"""One rest in five is a long one, between topics: how many times the usual rest, and the spread of its logarithm."""
HABIT_SURE = 20.0
"""Pauses and utterances that these priors are worth: a minute of talk."""
HABIT_PASSES = 5
"""Rounds of fitting; more of them change nothing that matters."""
END_STOPPED = 1.4
"""What a full stop says for an end against none, in nats, over what this recogniser writes anyway: some write no marks at all. Four ends
in five have one, and one breath in two."""
END_UNPAUSED = -8.0
"""What the lack of any pause says: even where a host runs on into the next thing, a cut there sounds cut."""
END_SURE = 0.9
"""Probability of an end from which a clip is cut there without looking further."""
END_LIKELY = 0.5
"""Probability of an end from which a moment may begin or end there."""

# --- durations ---------------------------------------------------------------------------------------------

PRODUCT_SECONDS = ((0.5, 45.0, 0.6), (0.38, 110.0, 0.7), (0.12, 300.0, 0.5))
"""Explanations: medians of 80 to 95 s with sigma .55 are published for fast streams, 180 to 600 s for long pitches; 15-20 s ones occur
in short streams."""
BACKGROUND_SECONDS = ((0.5, 5.0, 0.7), (0.5, 30.0, 0.9))
"""Background: a sentence or two of transition, or minutes of talk."""
TO_BACKGROUND = 0.65
"""Share of explanations that are followed by background and not by the next product at once: more than hosts count themselves, since a
sentence of moving on is background too. At a half, the gaps of fast streams were given to their neighbours (5 % of their seconds)."""
REPEAT = 0.002
"""Probability of the same product following itself at once; only what outlasts the longest segment needs it."""
UNKNOWN_ENTRY = 0.01
"""Prior of a product that the catalogue lacks, against 1 for all known ones."""
UNKNOWN_DRIFT = -0.35
"""Per sentence; an unknown product has to earn its place with price, link and benefit phrases."""

BRIDGE_SECONDS = 10.0
"""A gap in one product's explanation up to this long, two sentences or so, is a digression and stays inside."""
BRIDGE_UNITS = 2
"""A gap of so few sentences stays inside whatever it lasts, up to twice `BRIDGE_SECONDS`."""
UNMARKED_SECONDS, MARKED = 90.0, -0.6
"""A gap up to this long stays inside when its sentences do not speak for background (in nats, their mean above the second): hosts wander
off inside an explanation, but who leaves it says so. At 45 s and -.3 a third of long pitches was told in pieces (AP from speech .59, now
.73, on four simulated hours without any misrecognition); recordings lose .001 of their seconds."""

# --- confidences -------------------------------------------------------------------------------------------

WHOLE_SHIFT, PIECE_SHIFT = 0.3, -0.9
"""Nats that the log odds of a confidence are moved by: of an explanation that stands alone, and of one within `PIECES_APART` of another
of the same product, which may be one pitch that fell apart. Told with .94, .92 and .87 (with cards, without, from speech alone), those
that stand alone were right in .99, .97 and .93 of 208, 208 and 199; pieces, told with .92, .92 and .86, in .82, .77 and .62 of 73, 78 and
101 (twelve simulated hours; all of 47 recorded ones were right). A shift and a stretch for every set of channels, fitted on the same,
were no better on eight fresh hours."""
PIECES_APART = 90.0
"""Seconds between two explanations of a product below which they may be one: a digression lasts so long, a return seldom comes so soon."""
TOPIC_ODDS = (2.6, 1.3, 1.7, 1.1, 2.0)
"""Log odds of a topic being one whole explanation, without a catalogue: of a usual one in a stream whose edges are all marked; for an
offer; per log of its length over `TOPIC_USUAL_S`; for an announced beginning; per log of the share of edges that the host marks. Fitted
on 380 simulated topics and 62 of recordings and scripts, half of the weight each, and drawn most of the way back to an earlier fit on 1900;
the level lies between what is right of simulated topics (told with .64 on sixteen streams, .58 right) and of recorded ones (.85)."""
TOPIC_USUAL_S = 40.0
"""Median seconds of a topic."""
TOPIC_MOST = 0.9
"""No topic is surer: without a catalogue nothing says that a thing is sold at all."""
